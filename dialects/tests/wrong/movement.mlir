module {
  func.func @main(%x: tensor<1x6x4x4xi8, #int8.fix<5>>, %f: tensor<1x6x4x4xf32>) {
    %a = int8.space_to_depth %x {block = 4} : (tensor<1x6x4x4xi8, #int8.fix<5>>) -> tensor<1x2x1x64xi8, #int8.fix<5>>
    %b = nn.space_to_depth %f {block = 2, order = "reorg"} : (tensor<1x6x4x4xf32>) -> tensor<1x3x2x16xf32>
    %c = nn.depth_to_space %f {block = 2} : (tensor<1x6x4x4xf32>) -> tensor<1x12x8x2xf32>
    %d = int8.depth_to_space %x {block = 2} : (tensor<1x6x4x4xi8, #int8.fix<5>>) -> tensor<1x12x8x1xi8, #int8.fix<4>>
    %e = nn.strided_slice %f {begin = [0, 0, 0, 2], end = [1, 6, 4, 5], strides = [1, 1, 1, 1]} : (tensor<1x6x4x4xf32>) -> tensor<1x6x4x3xf32>
    %g = nn.strided_slice %f {begin = [0, 0], end = [1, 6], strides = [1, 1]} : tensor<1x6x4x4xf32>
    %h = nn.strided_slice %f {begin = [0, 1, 0, 0], end = [1, 6, 4, 4], strides = [1, 2, 1, 1]} : (tensor<1x6x4x4xf32>) -> tensor<1x2x4x4xf32>
    %i = int8.pad %x {paddings = [0, 0, 0, 0, 4, 0, 0, 0], mode = "reflect"} : (tensor<1x6x4x4xi8, #int8.fix<5>>) -> tensor<1x6x8x4xi8, #int8.fix<5>>
    %j = nn.pad %f {paddings = [0, 0, 1, 1]} : (tensor<1x6x4x4xf32>) -> tensor<1x8x4x4xf32>
    %k = int8.pad %x {paddings = [0, 0, 1, 1, 0, 0, 0, 0], value = 128} : (tensor<1x6x4x4xi8, #int8.fix<5>>) -> tensor<1x8x4x4xi8, #int8.fix<5>>
    %l = int8.transpose %x {order = [0, 1, 1, 3]} : tensor<1x6x4x4xi8, #int8.fix<5>>
    %m = nn.space_to_depth %f {block = 2, order = "yolo"} : (tensor<1x6x4x4xf32>) -> tensor<1x3x2x16xf32>
    %n, %o = nn.split %f {axis = 1} : (tensor<1x6x4x4xf32>) -> (tensor<1x2x4x4xf32>, tensor<1x3x4x4xf32>)
    %p, %q = nn.split %f {axis = 3} : (tensor<1x6x4x4xf32>) -> (tensor<1x6x4x2xf32>, tensor<1x6x2x2xf32>)
    func.return
  }
}
