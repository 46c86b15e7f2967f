module {
  func.func @main(%x: tensor<1x4x4x8xi8, #int8.fix<5>>, %f: tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xi8, #int8.fix<5>> {
    %w = int8.constant dense<1> : tensor<4x3x3x7xi8, #int8.fix<2>>
    %c = int8.conv2d %x, %w {pads = [1, 1, 1, 1]} : (tensor<1x4x4x8xi8, #int8.fix<5>>, tensor<4x3x3x7xi8, #int8.fix<2>>) -> tensor<1x4x4x4xi8, #int8.fix<5>>
    %m = int8.max_pool %f {kernel = [2, 2]} : (tensor<1x4x4x8xf32>) -> tensor<1x3x3x8xi8, #int8.fix<5>>
    %a = int8.add %x, %x {activation = "leaky_relu"} : tensor<1x4x4x8xi8, #int8.fix<5>>
    %d = int8.constant dense<[1, 300]> : tensor<2xi8, #int8.fix<0>>
    %e = int8.constant dense<[1, 2, 3]> : tensor<2xi8, #int8.fxi<0>>
    %r = int8.reshape %x : (tensor<1x4x4x8xi8, #int8.fix<5>>) -> tensor<1x127xi8, #int8.fix<4>>
    func.return %a : tensor<1x4x4x8xi8, #int8.fix<5>>
    %late = int8.add %a, %a : tensor<1x4x4x8xi8, #int8.fix<5>>
  }
}
