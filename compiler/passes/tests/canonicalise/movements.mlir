// Movements that change nothing, or that are one.
module @movements {
  func.func @main(%x: tensor<1x4x4x6xi8, #int8.fix<4>>, %y: tensor<1x4x4x2xi8, #int8.fix<5>>) -> (tensor<1x96xi8, #int8.fix<4>>, tensor<1x1x2x6xi8, #int8.fix<4>>, tensor<1x4x4x6xi8, #int8.fix<4>>, tensor<1x4x4x2xi8, #int8.fix<4>>, tensor<1x4x4x14xi8, #int8.fix<4>>) {
    %same = int8.reshape %x : tensor<1x4x4x6xi8, #int8.fix<4>>
    %all = int8.strided_slice %same {begin = [0, 0, 0, 0], end = [1, 4, 4, 6], strides = [1, 1, 1, 1]} : tensor<1x4x4x6xi8, #int8.fix<4>>
    %unpadded = int8.pad %all {paddings = [0, 0, 0, 0, 0, 0, 0, 0]} : tensor<1x4x4x6xi8, #int8.fix<4>>
    %unchanged = int8.requantise %unpadded : tensor<1x4x4x6xi8, #int8.fix<4>>
    %flat = int8.reshape %unchanged : (tensor<1x4x4x6xi8, #int8.fix<4>>) -> tensor<1x16x6xi8, #int8.fix<4>>
    %flatter = int8.reshape %flat : (tensor<1x16x6xi8, #int8.fix<4>>) -> tensor<1x96xi8, #int8.fix<4>>
    %rows = int8.strided_slice %x {begin = [0, 1, 0, 0], end = [1, 4, 4, 6], strides = [1, 2, 1, 1]} : (tensor<1x4x4x6xi8, #int8.fix<4>>) -> tensor<1x2x4x6xi8, #int8.fix<4>>
    %part = int8.strided_slice %rows {begin = [0, 1, 1, 0], end = [1, 2, 4, 6], strides = [1, 1, 2, 1]} : (tensor<1x2x4x6xi8, #int8.fix<4>>) -> tensor<1x1x2x6xi8, #int8.fix<4>>
    // The parts that have the fix point of the whole are there without it; the others are rounded in it.
    %joined = int8.concat %x, %y {axis = 3} : (tensor<1x4x4x6xi8, #int8.fix<4>>, tensor<1x4x4x2xi8, #int8.fix<5>>) -> tensor<1x4x4x8xi8, #int8.fix<4>>
    %left = int8.strided_slice %joined {begin = [0, 0, 0, 0], end = [1, 4, 4, 6], strides = [1, 1, 1, 1]} : (tensor<1x4x4x8xi8, #int8.fix<4>>) -> tensor<1x4x4x6xi8, #int8.fix<4>>
    %right = int8.strided_slice %joined {begin = [0, 0, 0, 6], end = [1, 4, 4, 8], strides = [1, 1, 1, 1]} : (tensor<1x4x4x8xi8, #int8.fix<4>>) -> tensor<1x4x4x2xi8, #int8.fix<4>>
    %inner = int8.concat %x, %y {axis = 3} : (tensor<1x4x4x6xi8, #int8.fix<4>>, tensor<1x4x4x2xi8, #int8.fix<5>>) -> tensor<1x4x4x8xi8, #int8.fix<4>>
    %outer = int8.concat %inner, %x {axis = 3} : (tensor<1x4x4x8xi8, #int8.fix<4>>, tensor<1x4x4x6xi8, #int8.fix<4>>) -> tensor<1x4x4x14xi8, #int8.fix<4>>
    func.return %flatter, %part, %left, %right, %outer : tensor<1x96xi8, #int8.fix<4>>, tensor<1x1x2x6xi8, #int8.fix<4>>, tensor<1x4x4x6xi8, #int8.fix<4>>, tensor<1x4x4x2xi8, #int8.fix<4>>, tensor<1x4x4x14xi8, #int8.fix<4>>
  }
}
