// Windows that no DPU has.
module @windows {
  func.func @main(%x: tensor<1x2x40x2xi8, #int8.fix<4>>, %long: tensor<1x1x700x1xi8, #int8.fix<4>>, %tall: tensor<1x600x3x1xf32>) -> (tensor<1x2x42x1xi8, #int8.fix<3>>, tensor<1x1x10x2xi8, #int8.fix<3>>, tensor<1x1x23x1xi8, #int8.fix<3>>, tensor<1x1x1x1xi8, #int8.fix<4>>, tensor<1x1x150x1xi8, #int8.fix<3>>, tensor<1x101x3x1xf32>) {
    // Eighteen columns become nine of twice the channels; the result has pixels in pairs.
    %w = int8.constant dense<[[[[1, 2], [3, 4], [5, 6], [7, 8], [9, 10], [11, 12], [13, 14], [15, 16], [17, 18], [-1, -2], [-3, -4], [-5, -6], [-7, -8], [-9, -10], [-11, -12], [-13, -14], [-15, -16], [-17, 18]]]]> : tensor<1x1x18x2xi8, #int8.fix<7>>
    %pairs = int8.conv2d %x, %w {pads = [0, 10, 0, 9], activation = "leaky_relu"} : (tensor<1x2x40x2xi8, #int8.fix<4>>, tensor<1x1x18x2xi8, #int8.fix<7>>) -> tensor<1x2x42x1xi8, #int8.fix<3>>
    // A step of two, two filters, a bias and two rows.
    %v = int8.constant dense<[[[[1], [2], [3], [4], [5], [6], [7], [8], [9], [10], [11], [12], [13], [14], [15], [16], [17], [18], [19], [20], [21]], [[-1], [2], [-3], [4], [-5], [6], [-7], [8], [-9], [10], [-11], [12], [-13], [14], [-15], [16], [-17], [18], [-19], [20], [-128]]], [[[127], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [127]], [[1], [1], [1], [1], [1], [1], [1], [1], [1], [1], [1], [1], [1], [1], [1], [1], [1], [1], [1], [1], [1]]]]> : tensor<2x2x21x1xi8, #int8.fix<7>>
    %b = int8.constant dense<[100, -100]> : tensor<2xi8, #int8.fix<5>>
    %one = int8.strided_slice %x {begin = [0, 0, 0, 0], end = [1, 2, 40, 1], strides = [1, 1, 1, 1]} : (tensor<1x2x40x2xi8, #int8.fix<4>>) -> tensor<1x2x40x1xi8, #int8.fix<4>>
    %steps = int8.conv2d %one, %v, %b {strides = [1, 2]} : (tensor<1x2x40x1xi8, #int8.fix<4>>, tensor<2x2x21x1xi8, #int8.fix<7>>, tensor<2xi8, #int8.fix<5>>) -> tensor<1x1x10x2xi8, #int8.fix<3>>
    // Rows of 23 results are in no pairs: it stays.
    %u = int8.constant dense<[[[[1], [2], [3], [4], [5], [6], [7], [8], [9], [10], [11], [12], [13], [14], [15], [16], [17], [18]], [[1], [2], [3], [4], [5], [6], [7], [8], [9], [10], [11], [12], [13], [14], [15], [16], [17], [18]]]]> : tensor<1x2x18x1xi8, #int8.fix<7>>
    %odd = int8.conv2d %one, %u : (tensor<1x2x40x1xi8, #int8.fix<4>>, tensor<1x2x18x1xi8, #int8.fix<7>>) -> tensor<1x1x23x1xi8, #int8.fix<3>>
    // The maximum of a whole row: two halves, and two such.
    %all = int8.max_pool %long {kernel = [1, 700], strides = [1, 1]} : (tensor<1x1x700x1xi8, #int8.fix<4>>) -> tensor<1x1x1x1xi8, #int8.fix<4>>
    // Windows that overlap, padding on both sides, another fix point.
    %many = int8.max_pool %long {kernel = [1, 301], strides = [1, 3], pads = [0, 20, 0, 28]} : (tensor<1x1x700x1xi8, #int8.fix<4>>) -> tensor<1x1x150x1xi8, #int8.fix<3>>
    %floats = nn.max_pool %tall {kernel = [400, 1], strides = [2, 1]} : (tensor<1x600x3x1xf32>) -> tensor<1x101x3x1xf32>
    func.return %pairs, %steps, %odd, %all, %many, %floats : tensor<1x2x42x1xi8, #int8.fix<3>>, tensor<1x1x10x2xi8, #int8.fix<3>>, tensor<1x1x23x1xi8, #int8.fix<3>>, tensor<1x1x1x1xi8, #int8.fix<4>>, tensor<1x1x150x1xi8, #int8.fix<3>>, tensor<1x101x3x1xf32>
  }
}
