// Roundings that change nothing, or only the fix point; unusual ones stay.
// left: nn.fix
module @rounding {
  func.func @main(%x: tensor<1x2x2x3xf32>) -> (tensor<1x2x2x3xf32>, tensor<1x2x2x3xf32>, tensor<1x2x2x2xf32>, tensor<1x2x2x3xf32>, tensor<1x2x2x3xf32>, tensor<1x2x2x3xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x2x2x3xf32>
    %x_fix_fix = nn.fix %x_fix {fix_point = 5} : tensor<1x2x2x3xf32>
    %x_fix_fix_fix = nn.fix %x_fix_fix {fix_point = 3} : tensor<1x2x2x3xf32>
    %x_fix_fix_fix_fix = nn.fix %x_fix_fix_fix {fix_point = 6} : tensor<1x2x2x3xf32>
    %x_fix2 = nn.fix %x {fix_point = 8, bit_width = 16} : tensor<1x2x2x3xf32>
    %odd = nn.fix %x {fix_point = 4, round_mode = "py3"} : tensor<1x2x2x3xf32>
    %un = nn.fix %x {fix_point = 4, signed = false} : tensor<1x2x2x3xf32>
    %w0 = nn.constant dense<[[[[-1.0210, -0.2199, -0.5184]]], [[[0.4223, 1.8160, -1.0825]]]]> : tensor<2x1x1x3xf32>
    %w0_fix = nn.fix %w0 {fix_point = 2, round_mode = "py3"} : tensor<2x1x1x3xf32>
    %b0 = nn.constant dense<[8.1881, 7.0328]> : tensor<2xf32>
    %b0_fix = nn.fix %b0 {fix_point = 1, round_mode = "std"} : tensor<2xf32>
    %c0 = nn.conv2d %x_fix_fix_fix_fix, %w0_fix, %b0_fix : (tensor<1x2x2x3xf32>, tensor<2x1x1x3xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
    %c0_fix = nn.fix %c0 {fix_point = 4} : tensor<1x2x2x2xf32>
    func.return %x_fix_fix, %x_fix_fix_fix, %c0_fix, %x_fix2, %odd, %un : tensor<1x2x2x3xf32>, tensor<1x2x2x3xf32>, tensor<1x2x2x2xf32>, tensor<1x2x2x3xf32>, tensor<1x2x2x3xf32>, tensor<1x2x2x3xf32>
  }
}
