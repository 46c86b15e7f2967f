// Operators that only move elements, rounded behind or not at all.
module @moving {
  func.func @main(%x: tensor<1x4x3x2xf32>) -> (tensor<1x24xf32>, tensor<1x2x4x3xf32>, tensor<1x1x1x1xf32>, tensor<1x2x1x2xf32>, tensor<1x1xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x4x3x2xf32>
    %flat = nn.reshape %x_fix : (tensor<1x4x3x2xf32>) -> tensor<1x24xf32>
    %w0 = nn.constant dense<[[[[0.3312, 0.3715]]], [[[0.1412, -0.9043]]]]> : tensor<2x1x1x2xf32>
    %w0_fix = nn.fix %w0 {fix_point = 6} : tensor<2x1x1x2xf32>
    %c0 = nn.conv2d %x_fix, %w0_fix : (tensor<1x4x3x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x4x3x2xf32>
    %t = nn.transpose %c0 {order = [0, 3, 1, 2]} : (tensor<1x4x3x2xf32>) -> tensor<1x2x4x3xf32>
    %t_fix = nn.fix %t {fix_point = 4} : tensor<1x2x4x3xf32>
    %s = nn.strided_slice %x_fix {begin = [0, 0, 1, 0], end = [1, 4, 3, 2], strides = [1, 2, 1, 1]} : (tensor<1x4x3x2xf32>) -> tensor<1x2x2x2xf32>
    %s_fix = nn.fix %s {fix_point = 5} : tensor<1x2x2x2xf32>
    %w1 = nn.constant dense<[[[[-0.0596, 0.0265], [0.0968, -0.5496]], [[0.0962, 0.2048], [0.6096, -0.8222]]]]> : tensor<1x2x2x2xf32>
    %w1_fix = nn.fix %w1 {fix_point = 6} : tensor<1x2x2x2xf32>
    %c1 = nn.conv2d %s_fix, %w1_fix : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x1x1x1xf32>
    %c1_fix = nn.fix %c1 {fix_point = 4} : tensor<1x1x1x1xf32>
    %m = nn.max_pool %x_fix {kernel = [2, 2], strides = [2, 2]} : (tensor<1x4x3x2xf32>) -> tensor<1x2x1x2xf32>
    %r = nn.relu %m : tensor<1x2x1x2xf32>
    %r_fix = nn.fix %r {fix_point = 4} : tensor<1x2x1x2xf32>
    %f = nn.reshape %c1_fix : (tensor<1x1x1x1xf32>) -> tensor<1x1xf32>
    %f_fix = nn.fix %f {fix_point = 3} : tensor<1x1xf32>
    func.return %flat, %t_fix, %c1_fix, %r_fix, %f_fix : tensor<1x24xf32>, tensor<1x2x4x3xf32>, tensor<1x1x1x1xf32>, tensor<1x2x1x2xf32>, tensor<1x1xf32>
  }
}
