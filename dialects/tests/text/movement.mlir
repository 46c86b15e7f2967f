module @movement {
  func.func @float(%x: tensor<1x4x4x4xf32>) -> (tensor<1x2x2x16xf32>, tensor<1x8x8x1xf32>, tensor<1x6x4x4xf32>, tensor<1x2x4x2xf32>, tensor<1x4x4x4xf32>) {
    %deep = nn.space_to_depth %x {block = 2} : (tensor<1x4x4x4xf32>) -> tensor<1x2x2x16xf32>
    %wide = nn.depth_to_space %x {block = 2, order = "crd"} : (tensor<1x4x4x4xf32>) -> tensor<1x8x8x1xf32>
    %padded = nn.pad %x {paddings = [0, 0, 1, 1, 0, 0, 0, 0], value = 0.5} : (tensor<1x4x4x4xf32>) -> tensor<1x6x4x4xf32>
    %part = nn.strided_slice %x {begin = [0, 0, 0, 2], end = [1, 4, 4, 4], strides = [1, 2, 1, 1]} : (tensor<1x4x4x4xf32>) -> tensor<1x2x4x2xf32>
    %turned = nn.transpose %x {order = [0, 3, 1, 2]} : tensor<1x4x4x4xf32>
    %left, %right = nn.split %x {axis = 3} : (tensor<1x4x4x4xf32>) -> (tensor<1x4x4x1xf32>, tensor<1x4x4x3xf32>)
    func.return %deep, %wide, %padded, %part, %turned : tensor<1x2x2x16xf32>, tensor<1x8x8x1xf32>, tensor<1x6x4x4xf32>, tensor<1x2x4x2xf32>, tensor<1x4x4x4xf32>
  }
  func.func @codes(%x: tensor<1x4x4x4xi8, #int8.fix<5>>) -> (tensor<1x2x2x16xi8, #int8.fix<5>>, tensor<1x8x8x1xi8, #int8.fix<5>>, tensor<1x6x4x4xi8, #int8.fix<5>>, tensor<1x2x4x2xi8, #int8.fix<5>>, tensor<1x4x4x4xi8, #int8.fix<5>>) {
    %deep = int8.space_to_depth %x {block = 2, order = "reorg"} : (tensor<1x4x4x4xi8, #int8.fix<5>>) -> tensor<1x2x2x16xi8, #int8.fix<5>>
    %wide = int8.depth_to_space %x {block = 2} : (tensor<1x4x4x4xi8, #int8.fix<5>>) -> tensor<1x8x8x1xi8, #int8.fix<5>>
    %padded = int8.pad %x {paddings = [0, 0, 1, 1, 0, 0, 0, 0], mode = "symmetric"} : (tensor<1x4x4x4xi8, #int8.fix<5>>) -> tensor<1x6x4x4xi8, #int8.fix<5>>
    %part = int8.strided_slice %x {begin = [0, 0, 0, 2], end = [1, 4, 4, 4], strides = [1, 2, 1, 1]} : (tensor<1x4x4x4xi8, #int8.fix<5>>) -> tensor<1x2x4x2xi8, #int8.fix<5>>
    %turned = int8.transpose %x {order = [0, 2, 1, 3]} : tensor<1x4x4x4xi8, #int8.fix<5>>
    func.return %deep, %wide, %padded, %part, %turned : tensor<1x2x2x16xi8, #int8.fix<5>>, tensor<1x8x8x1xi8, #int8.fix<5>>, tensor<1x6x4x4xi8, #int8.fix<5>>, tensor<1x2x4x2xi8, #int8.fix<5>>, tensor<1x4x4x4xi8, #int8.fix<5>>
  }
}
