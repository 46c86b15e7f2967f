// Zeros that the window behind them can step over; others stay.
module @paddings {
  func.func @main(%x: tensor<1x5x5x2xi8, #int8.fix<4>>) -> (tensor<1x5x6x2xi8, #int8.fix<4>>, tensor<1x6x5x2xi8, #int8.fix<4>>, tensor<1x6x6x2xi8, #int8.fix<4>>, tensor<1x5x5x2xi8, #int8.fix<4>>, tensor<1x7x5x2xi8, #int8.fix<4>>, tensor<1x6x6x2xi8, #int8.fix<4>>) {
    %w = int8.constant dense<[[[[1, -2], [3, 4], [5, 6]], [[-7, 8], [9, 10], [11, 12]], [[13, 14], [15, 16], [-17, 18]]], [[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11, 12]], [[13, 14], [15, 16], [17, 18]]]]> : tensor<2x3x3x2xi8, #int8.fix<4>>
    %p = int8.pad %x {paddings = [0, 0, 1, 1, 1, 1, 0, 0]} : (tensor<1x5x5x2xi8, #int8.fix<4>>) -> tensor<1x7x7x2xi8, #int8.fix<4>>
    %c = int8.conv2d %p, %w {pads = [0, 1, 0, 0], activation = "relu"} : (tensor<1x7x7x2xi8, #int8.fix<4>>, tensor<2x3x3x2xi8, #int8.fix<4>>) -> tensor<1x5x6x2xi8, #int8.fix<4>>
    %wide = int8.pad %x {paddings = [0, 0, 3, 0, 1, 1, 0, 0]} : (tensor<1x5x5x2xi8, #int8.fix<4>>) -> tensor<1x8x7x2xi8, #int8.fix<4>>
    %d = int8.conv2d %wide, %w : (tensor<1x8x7x2xi8, #int8.fix<4>>, tensor<2x3x3x2xi8, #int8.fix<4>>) -> tensor<1x6x5x2xi8, #int8.fix<4>>
    %q = int8.pad %x {paddings = [0, 0, 1, 1, 1, 1, 0, 0]} : (tensor<1x5x5x2xi8, #int8.fix<4>>) -> tensor<1x7x7x2xi8, #int8.fix<4>>
    %a = int8.avg_pool %q {kernel = [2, 2]} : (tensor<1x7x7x2xi8, #int8.fix<4>>) -> tensor<1x6x6x2xi8, #int8.fix<4>>
    %ones = int8.pad %x {paddings = [0, 0, 1, 1, 1, 1, 0, 0], value = 1} : (tensor<1x5x5x2xi8, #int8.fix<4>>) -> tensor<1x7x7x2xi8, #int8.fix<4>>
    %e = int8.conv2d %ones, %w : (tensor<1x7x7x2xi8, #int8.fix<4>>, tensor<2x3x3x2xi8, #int8.fix<4>>) -> tensor<1x5x5x2xi8, #int8.fix<4>>
    // No element behind a ReLU is below zero: a zero never wins against the map.
    %r = int8.pad %c {paddings = [0, 0, 2, 2, 0, 0, 0, 0]} : (tensor<1x5x6x2xi8, #int8.fix<4>>) -> tensor<1x9x6x2xi8, #int8.fix<4>>
    %m = int8.max_pool %r {kernel = [3, 2]} : (tensor<1x9x6x2xi8, #int8.fix<4>>) -> tensor<1x7x5x2xi8, #int8.fix<4>>
    %n = int8.max_pool %q {kernel = [2, 2]} : (tensor<1x7x7x2xi8, #int8.fix<4>>) -> tensor<1x6x6x2xi8, #int8.fix<4>>
    func.return %c, %d, %a, %e, %m, %n : tensor<1x5x6x2xi8, #int8.fix<4>>, tensor<1x6x5x2xi8, #int8.fix<4>>, tensor<1x6x6x2xi8, #int8.fix<4>>, tensor<1x5x5x2xi8, #int8.fix<4>>, tensor<1x7x5x2xi8, #int8.fix<4>>, tensor<1x6x6x2xi8, #int8.fix<4>>
  }
}
