

// A small network.
#loc1 = loc("lenet.py":3:4)
!image = tensor<1x32x32x3xf32>

module @lenet attributes {nn.framework="tensorflow",version=2:i32} { // the module


  // The only function.
  func.func   @main(%image:!image {nn.name = "in"}, %x : i32 loc("a":1:2)) -> (tensor<1x10xf32> {nn.name="out"} ,i32)  attributes {entry}
  {
    %w   = nn.constant @conv1.weight : tensor<6x5x5x3xf32>
    %b   = nn.constant @"conv1/bias" : tensor<6xf32>   // quoted
    %k = nn.constant dense<[[1,2],[ -3 , 4]]> : tensor<2x2xi8>


    %0   = nn.conv2d %image,%w , %b {strides = [1, 1],pads=[0,0,0,0]}
             : (tensor<1x32x32x3xf32>, tensor<6x5x5x3xf32>, tensor<6xf32>)->tensor<1x28x28x6xf32> loc(#loc1)
    %1:2 = nn.split %0 {
      // why here
      axis = 3, // last

      parts = 2
    } : tensor<1x28x28x6xf32>
    %2   = nn.relu %1#1 : tensor<1x28x28x3xf32> loc(fused["relu", "x.py":1:2])
    %3 = int8.fix %2 : tensor<1x28x28x3xi8,#int8.fix< -1 >>
    nn.note "text", 3, -1.5e-3, [1,"a",#d.e<a>], true, unit
    // last words

    return %3, %x : tensor<1x10xf32>, i32

    // after the return
  }

  func.func private @external(tensor<4xf32>, i32) -> i32
}
// end
