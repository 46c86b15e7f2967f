// Pixel shuffles take every byte apart; with the channels of the weights in another order whole pixels move.
module @shuffles {
  func.func @main(%x: tensor<1x4x4x2xi8, #int8.fix<4>>) -> (tensor<1x8x8x2xi8, #int8.fix<4>>, tensor<1x2x2x3xi8, #int8.fix<4>>, tensor<1x8x8x2xi8, #int8.fix<4>>, tensor<1x4x4x8xi8, #int8.fix<4>>) {
    %w = int8.constant dense<[[[[1, 2]]], [[[3, 4]]], [[[5, 6]]], [[[7, 8]]], [[[9, 10]]], [[[11, 12]]], [[[13, 14]]], [[[15, 16]]]]> : tensor<8x1x1x2xi8, #int8.fix<4>>
    %b = int8.constant dense<[10, 20, 30, 40, 50, 60, 70, 80]> : tensor<8xi8, #int8.fix<5>>
    %c = int8.conv2d %x, %w, %b {activation = "relu"} : (tensor<1x4x4x2xi8, #int8.fix<4>>, tensor<8x1x1x2xi8, #int8.fix<4>>, tensor<8xi8, #int8.fix<5>>) -> tensor<1x4x4x8xi8, #int8.fix<4>>
    %up = int8.depth_to_space %c {block = 2, order = "crd"} : (tensor<1x4x4x8xi8, #int8.fix<4>>) -> tensor<1x8x8x2xi8, #int8.fix<4>>
    %down = int8.space_to_depth %x {block = 2, order = "crd"} : (tensor<1x4x4x2xi8, #int8.fix<4>>) -> tensor<1x2x2x8xi8, #int8.fix<4>>
    %v = int8.constant dense<[[[[1, 2, 3, 4, 5, 6, 7, 8]]], [[[9, 10, 11, 12, 13, 14, 15, 16]]], [[[17, 18, 19, 20, 21, 22, 23, 24]]]]> : tensor<3x1x1x8xi8, #int8.fix<7>>
    %d = int8.conv2d %down, %v : (tensor<1x2x2x8xi8, #int8.fix<4>>, tensor<3x1x1x8xi8, #int8.fix<7>>) -> tensor<1x2x2x3xi8, #int8.fix<4>>
    // Somebody else needs the channels as they are.
    %e = int8.conv2d %x, %w, %b : (tensor<1x4x4x2xi8, #int8.fix<4>>, tensor<8x1x1x2xi8, #int8.fix<4>>, tensor<8xi8, #int8.fix<5>>) -> tensor<1x4x4x8xi8, #int8.fix<4>>
    %other = int8.depth_to_space %e {block = 2, order = "crd"} : (tensor<1x4x4x8xi8, #int8.fix<4>>) -> tensor<1x8x8x2xi8, #int8.fix<4>>
    func.return %up, %d, %other, %e : tensor<1x8x8x2xi8, #int8.fix<4>>, tensor<1x2x2x3xi8, #int8.fix<4>>, tensor<1x8x8x2xi8, #int8.fix<4>>, tensor<1x4x4x8xi8, #int8.fix<4>>
  }
}
