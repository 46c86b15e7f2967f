module @fixed {
  func.func @main(%x: tensor<1x8x8x16xi8, #int8.fix<5>>) -> (tensor<1x4x4x8xi8, #int8.fix<4>>, tensor<1x128xf32>, tensor<1x4x4x1xi8, #int8.fix<0>>, tensor<1x1xf32>) {
    %weights = int8.constant @weights : tensor<8x3x3x16xi8, #int8.fix<7>>
    %conv = int8.conv2d %x, %weights {strides = [2, 2], pads = [1, 1, 0, 0], activation = "relu"} : (tensor<1x8x8x16xi8, #int8.fix<5>>, tensor<8x3x3x16xi8, #int8.fix<7>>) -> tensor<1x4x4x8xi8, #int8.fix<4>>
    %sum = int8.add %conv, %conv : tensor<1x4x4x8xi8, #int8.fix<4>>
    %flat = int8.reshape %sum : (tensor<1x4x4x8xi8, #int8.fix<4>>) -> tensor<1x128xi8, #int8.fix<4>>
    %float = int8.dequantise %flat : (tensor<1x128xi8, #int8.fix<4>>) -> tensor<1x128xf32>
    %prob = nn.softmax %float {axis = 1} : tensor<1x128xf32>
    %classes = int8.argmax %sum {axis = 3} : (tensor<1x4x4x8xi8, #int8.fix<4>>) -> tensor<1x4x4x1xi8, #int8.fix<0>>
    %class = nn.argmax %prob {axis = 1} : (tensor<1x128xf32>) -> tensor<1x1xf32>
    func.return %sum, %prob, %classes, %class : tensor<1x4x4x8xi8, #int8.fix<4>>, tensor<1x128xf32>, tensor<1x4x4x1xi8, #int8.fix<0>>, tensor<1x1xf32>
  }
}
