module @unet_512 attributes {dpuc.weights = "unet_512.safetensors"} {
  func.func @main(%image: tensor<1x512x512x3xf32>) -> tensor<1x512x512x7xi8, #int8.fix<4>> {
    %pixels = int8.quantise %image : (tensor<1x512x512x3xf32>) -> tensor<1x512x512x3xi8, #int8.fix<7>>
    %enc.0.conv1.weight = int8.constant @enc.0.conv1.weight : tensor<16x3x3x3xi8, #int8.fix<4>>
    %enc.0.conv1.bias = int8.constant @enc.0.conv1.bias : tensor<16xi8, #int8.fix<6>>
    %enc.0.conv1 = int8.conv2d %pixels, %enc.0.conv1.weight, %enc.0.conv1.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x512x512x3xi8, #int8.fix<7>>, tensor<16x3x3x3xi8, #int8.fix<4>>, tensor<16xi8, #int8.fix<6>>) -> tensor<1x512x512x16xi8, #int8.fix<3>>
    %enc.0.conv2.weight = int8.constant @enc.0.conv2.weight : tensor<16x3x3x16xi8, #int8.fix<8>>
    %enc.0.conv2.bias = int8.constant @enc.0.conv2.bias : tensor<16xi8, #int8.fix<6>>
    %enc.0.conv2 = int8.conv2d %enc.0.conv1, %enc.0.conv2.weight, %enc.0.conv2.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x512x512x16xi8, #int8.fix<3>>, tensor<16x3x3x16xi8, #int8.fix<8>>, tensor<16xi8, #int8.fix<6>>) -> tensor<1x512x512x16xi8, #int8.fix<4>>
    %pool.0 = int8.max_pool %enc.0.conv2 {kernel = [2, 2], strides = [2, 2]} : (tensor<1x512x512x16xi8, #int8.fix<4>>) -> tensor<1x256x256x16xi8, #int8.fix<4>>
    %enc.1.conv1.weight = int8.constant @enc.1.conv1.weight : tensor<32x3x3x16xi8, #int8.fix<8>>
    %enc.1.conv1.bias = int8.constant @enc.1.conv1.bias : tensor<32xi8, #int8.fix<5>>
    %enc.1.conv1 = int8.conv2d %pool.0, %enc.1.conv1.weight, %enc.1.conv1.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x256x256x16xi8, #int8.fix<4>>, tensor<32x3x3x16xi8, #int8.fix<8>>, tensor<32xi8, #int8.fix<5>>) -> tensor<1x256x256x32xi8, #int8.fix<4>>
    %enc.1.conv2.weight = int8.constant @enc.1.conv2.weight : tensor<32x3x3x32xi8, #int8.fix<9>>
    %enc.1.conv2.bias = int8.constant @enc.1.conv2.bias : tensor<32xi8, #int8.fix<6>>
    %enc.1.conv2 = int8.conv2d %enc.1.conv1, %enc.1.conv2.weight, %enc.1.conv2.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x256x256x32xi8, #int8.fix<4>>, tensor<32x3x3x32xi8, #int8.fix<9>>, tensor<32xi8, #int8.fix<6>>) -> tensor<1x256x256x32xi8, #int8.fix<4>>
    %pool.1 = int8.max_pool %enc.1.conv2 {kernel = [2, 2], strides = [2, 2]} : (tensor<1x256x256x32xi8, #int8.fix<4>>) -> tensor<1x128x128x32xi8, #int8.fix<4>>
    %enc.2.conv1.weight = int8.constant @enc.2.conv1.weight : tensor<64x3x3x32xi8, #int8.fix<10>>
    %enc.2.conv1.bias = int8.constant @enc.2.conv1.bias : tensor<64xi8, #int8.fix<6>>
    %enc.2.conv1 = int8.conv2d %pool.1, %enc.2.conv1.weight, %enc.2.conv1.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x128x128x32xi8, #int8.fix<4>>, tensor<64x3x3x32xi8, #int8.fix<10>>, tensor<64xi8, #int8.fix<6>>) -> tensor<1x128x128x64xi8, #int8.fix<4>>
    %enc.2.conv2.weight = int8.constant @enc.2.conv2.weight : tensor<64x3x3x64xi8, #int8.fix<10>>
    %enc.2.conv2.bias = int8.constant @enc.2.conv2.bias : tensor<64xi8, #int8.fix<6>>
    %enc.2.conv2 = int8.conv2d %enc.2.conv1, %enc.2.conv2.weight, %enc.2.conv2.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x128x128x64xi8, #int8.fix<4>>, tensor<64x3x3x64xi8, #int8.fix<10>>, tensor<64xi8, #int8.fix<6>>) -> tensor<1x128x128x64xi8, #int8.fix<4>>
    %pool.2 = int8.max_pool %enc.2.conv2 {kernel = [2, 2], strides = [2, 2]} : (tensor<1x128x128x64xi8, #int8.fix<4>>) -> tensor<1x64x64x64xi8, #int8.fix<4>>
    %enc.3.conv1.weight = int8.constant @enc.3.conv1.weight : tensor<128x3x3x64xi8, #int8.fix<11>>
    %enc.3.conv1.bias = int8.constant @enc.3.conv1.bias : tensor<128xi8, #int8.fix<5>>
    %enc.3.conv1 = int8.conv2d %pool.2, %enc.3.conv1.weight, %enc.3.conv1.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x64x64x64xi8, #int8.fix<4>>, tensor<128x3x3x64xi8, #int8.fix<11>>, tensor<128xi8, #int8.fix<5>>) -> tensor<1x64x64x128xi8, #int8.fix<5>>
    %enc.3.conv2.weight = int8.constant @enc.3.conv2.weight : tensor<128x3x3x128xi8, #int8.fix<12>>
    %enc.3.conv2.bias = int8.constant @enc.3.conv2.bias : tensor<128xi8, #int8.fix<6>>
    %enc.3.conv2 = int8.conv2d %enc.3.conv1, %enc.3.conv2.weight, %enc.3.conv2.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x64x64x128xi8, #int8.fix<5>>, tensor<128x3x3x128xi8, #int8.fix<12>>, tensor<128xi8, #int8.fix<6>>) -> tensor<1x64x64x128xi8, #int8.fix<3>>
    %pool.3 = int8.max_pool %enc.3.conv2 {kernel = [2, 2], strides = [2, 2]} : (tensor<1x64x64x128xi8, #int8.fix<3>>) -> tensor<1x32x32x128xi8, #int8.fix<3>>
    %mid.conv1.weight = int8.constant @mid.conv1.weight : tensor<256x3x3x128xi8, #int8.fix<12>>
    %mid.conv1.bias = int8.constant @mid.conv1.bias : tensor<256xi8, #int8.fix<6>>
    %mid.conv1 = int8.conv2d %pool.3, %mid.conv1.weight, %mid.conv1.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x32x32x128xi8, #int8.fix<3>>, tensor<256x3x3x128xi8, #int8.fix<12>>, tensor<256xi8, #int8.fix<6>>) -> tensor<1x32x32x256xi8, #int8.fix<5>>
    %mid.conv2.weight = int8.constant @mid.conv2.weight : tensor<256x3x3x256xi8, #int8.fix<13>>
    %mid.conv2.bias = int8.constant @mid.conv2.bias : tensor<256xi8, #int8.fix<6>>
    %mid.conv2 = int8.conv2d %mid.conv1, %mid.conv2.weight, %mid.conv2.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x32x32x256xi8, #int8.fix<5>>, tensor<256x3x3x256xi8, #int8.fix<13>>, tensor<256xi8, #int8.fix<6>>) -> tensor<1x32x32x256xi8, #int8.fix<5>>
    %up.0.weight = int8.constant @up.0.weight : tensor<128x2x2x256xi8, #int8.fix<9>>
    %up.0.bias = int8.constant @up.0.bias : tensor<128xi8, #int8.fix<8>>
    %up.0 = int8.transposed_conv2d %mid.conv2, %up.0.weight, %up.0.bias {strides = [2, 2], pads = [0, 0, 0, 0]} : (tensor<1x32x32x256xi8, #int8.fix<5>>, tensor<128x2x2x256xi8, #int8.fix<9>>, tensor<128xi8, #int8.fix<8>>) -> tensor<1x64x64x128xi8, #int8.fix<3>>
    %concat.0 = int8.concat %enc.3.conv2, %up.0 {axis = 3} : (tensor<1x64x64x128xi8, #int8.fix<3>>, tensor<1x64x64x128xi8, #int8.fix<3>>) -> tensor<1x64x64x256xi8, #int8.fix<3>>
    %dec.0.conv1.weight = int8.constant @dec.0.conv1.weight : tensor<128x3x3x256xi8, #int8.fix<14>>
    %dec.0.conv1.bias = int8.constant @dec.0.conv1.bias : tensor<128xi8, #int8.fix<7>>
    %dec.0.conv1 = int8.conv2d %concat.0, %dec.0.conv1.weight, %dec.0.conv1.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x64x64x256xi8, #int8.fix<3>>, tensor<128x3x3x256xi8, #int8.fix<14>>, tensor<128xi8, #int8.fix<7>>) -> tensor<1x64x64x128xi8, #int8.fix<5>>
    %dec.0.conv2.weight = int8.constant @dec.0.conv2.weight : tensor<128x3x3x128xi8, #int8.fix<12>>
    %dec.0.conv2.bias = int8.constant @dec.0.conv2.bias : tensor<128xi8, #int8.fix<6>>
    %dec.0.conv2 = int8.conv2d %dec.0.conv1, %dec.0.conv2.weight, %dec.0.conv2.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x64x64x128xi8, #int8.fix<5>>, tensor<128x3x3x128xi8, #int8.fix<12>>, tensor<128xi8, #int8.fix<6>>) -> tensor<1x64x64x128xi8, #int8.fix<5>>
    %up.1.weight = int8.constant @up.1.weight : tensor<64x2x2x128xi8, #int8.fix<9>>
    %up.1.bias = int8.constant @up.1.bias : tensor<64xi8, #int8.fix<6>>
    %up.1 = int8.transposed_conv2d %dec.0.conv2, %up.1.weight, %up.1.bias {strides = [2, 2], pads = [0, 0, 0, 0]} : (tensor<1x64x64x128xi8, #int8.fix<5>>, tensor<64x2x2x128xi8, #int8.fix<9>>, tensor<64xi8, #int8.fix<6>>) -> tensor<1x128x128x64xi8, #int8.fix<4>>
    %concat.1 = int8.concat %enc.2.conv2, %up.1 {axis = 3} : (tensor<1x128x128x64xi8, #int8.fix<4>>, tensor<1x128x128x64xi8, #int8.fix<4>>) -> tensor<1x128x128x128xi8, #int8.fix<4>>
    %dec.1.conv1.weight = int8.constant @dec.1.conv1.weight : tensor<64x3x3x128xi8, #int8.fix<12>>
    %dec.1.conv1.bias = int8.constant @dec.1.conv1.bias : tensor<64xi8, #int8.fix<6>>
    %dec.1.conv1 = int8.conv2d %concat.1, %dec.1.conv1.weight, %dec.1.conv1.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x128x128x128xi8, #int8.fix<4>>, tensor<64x3x3x128xi8, #int8.fix<12>>, tensor<64xi8, #int8.fix<6>>) -> tensor<1x128x128x64xi8, #int8.fix<5>>
    %dec.1.conv2.weight = int8.constant @dec.1.conv2.weight : tensor<64x3x3x64xi8, #int8.fix<11>>
    %dec.1.conv2.bias = int8.constant @dec.1.conv2.bias : tensor<64xi8, #int8.fix<5>>
    %dec.1.conv2 = int8.conv2d %dec.1.conv1, %dec.1.conv2.weight, %dec.1.conv2.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x128x128x64xi8, #int8.fix<5>>, tensor<64x3x3x64xi8, #int8.fix<11>>, tensor<64xi8, #int8.fix<5>>) -> tensor<1x128x128x64xi8, #int8.fix<5>>
    %up.2.weight = int8.constant @up.2.weight : tensor<32x2x2x64xi8, #int8.fix<9>>
    %up.2.bias = int8.constant @up.2.bias : tensor<32xi8, #int8.fix<7>>
    %up.2 = int8.transposed_conv2d %dec.1.conv2, %up.2.weight, %up.2.bias {strides = [2, 2], pads = [0, 0, 0, 0]} : (tensor<1x128x128x64xi8, #int8.fix<5>>, tensor<32x2x2x64xi8, #int8.fix<9>>, tensor<32xi8, #int8.fix<7>>) -> tensor<1x256x256x32xi8, #int8.fix<4>>
    %concat.2 = int8.concat %enc.1.conv2, %up.2 {axis = 3} : (tensor<1x256x256x32xi8, #int8.fix<4>>, tensor<1x256x256x32xi8, #int8.fix<4>>) -> tensor<1x256x256x64xi8, #int8.fix<4>>
    %dec.2.conv1.weight = int8.constant @dec.2.conv1.weight : tensor<32x3x3x64xi8, #int8.fix<11>>
    %dec.2.conv1.bias = int8.constant @dec.2.conv1.bias : tensor<32xi8, #int8.fix<6>>
    %dec.2.conv1 = int8.conv2d %concat.2, %dec.2.conv1.weight, %dec.2.conv1.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x256x256x64xi8, #int8.fix<4>>, tensor<32x3x3x64xi8, #int8.fix<11>>, tensor<32xi8, #int8.fix<6>>) -> tensor<1x256x256x32xi8, #int8.fix<5>>
    %dec.2.conv2.weight = int8.constant @dec.2.conv2.weight : tensor<32x3x3x32xi8, #int8.fix<10>>
    %dec.2.conv2.bias = int8.constant @dec.2.conv2.bias : tensor<32xi8, #int8.fix<6>>
    %dec.2.conv2 = int8.conv2d %dec.2.conv1, %dec.2.conv2.weight, %dec.2.conv2.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x256x256x32xi8, #int8.fix<5>>, tensor<32x3x3x32xi8, #int8.fix<10>>, tensor<32xi8, #int8.fix<6>>) -> tensor<1x256x256x32xi8, #int8.fix<5>>
    %up.3.weight = int8.constant @up.3.weight : tensor<16x2x2x32xi8, #int8.fix<9>>
    %up.3.bias = int8.constant @up.3.bias : tensor<16xi8, #int8.fix<7>>
    %up.3 = int8.transposed_conv2d %dec.2.conv2, %up.3.weight, %up.3.bias {strides = [2, 2], pads = [0, 0, 0, 0]} : (tensor<1x256x256x32xi8, #int8.fix<5>>, tensor<16x2x2x32xi8, #int8.fix<9>>, tensor<16xi8, #int8.fix<7>>) -> tensor<1x512x512x16xi8, #int8.fix<4>>
    %concat.3 = int8.concat %enc.0.conv2, %up.3 {axis = 3} : (tensor<1x512x512x16xi8, #int8.fix<4>>, tensor<1x512x512x16xi8, #int8.fix<4>>) -> tensor<1x512x512x32xi8, #int8.fix<4>>
    %dec.3.conv1.weight = int8.constant @dec.3.conv1.weight : tensor<16x3x3x32xi8, #int8.fix<10>>
    %dec.3.conv1.bias = int8.constant @dec.3.conv1.bias : tensor<16xi8, #int8.fix<6>>
    %dec.3.conv1 = int8.conv2d %concat.3, %dec.3.conv1.weight, %dec.3.conv1.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x512x512x32xi8, #int8.fix<4>>, tensor<16x3x3x32xi8, #int8.fix<10>>, tensor<16xi8, #int8.fix<6>>) -> tensor<1x512x512x16xi8, #int8.fix<5>>
    %dec.3.conv2.weight = int8.constant @dec.3.conv2.weight : tensor<16x3x3x16xi8, #int8.fix<9>>
    %dec.3.conv2.bias = int8.constant @dec.3.conv2.bias : tensor<16xi8, #int8.fix<6>>
    %dec.3.conv2 = int8.conv2d %dec.3.conv1, %dec.3.conv2.weight, %dec.3.conv2.bias {strides = [1, 1], pads = [1, 1, 1, 1], activation = "relu"} : (tensor<1x512x512x16xi8, #int8.fix<5>>, tensor<16x3x3x16xi8, #int8.fix<9>>, tensor<16xi8, #int8.fix<6>>) -> tensor<1x512x512x16xi8, #int8.fix<4>>
    %head.weight = int8.constant @head.weight : tensor<7x1x1x16xi8, #int8.fix<7>>
    %head.bias = int8.constant @head.bias : tensor<7xi8, #int8.fix<9>>
    %logits = int8.conv2d %dec.3.conv2, %head.weight, %head.bias {strides = [1, 1], pads = [0, 0, 0, 0]} : (tensor<1x512x512x16xi8, #int8.fix<4>>, tensor<7x1x1x16xi8, #int8.fix<7>>, tensor<7xi8, #int8.fix<9>>) -> tensor<1x512x512x7xi8, #int8.fix<4>>
    func.return %logits : tensor<1x512x512x7xi8, #int8.fix<4>>
  }
}
