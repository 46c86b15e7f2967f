// Leaky ReLUs and PReLUs by themselves.
module @slopes {
  func.func @main(%x: tensor<1x3x4x5xf32>) -> (tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x3x4x5xf32>
    %l = nn.leaky_relu %x_fix {alpha = 0.1015625} : tensor<1x3x4x5xf32>
    %l_fix = nn.fix %l {fix_point = 5} : tensor<1x3x4x5xf32>
    %h = nn.leaky_relu %x_fix {alpha = 0.25} : tensor<1x3x4x5xf32>
    %h_fix = nn.fix %h {fix_point = 4} : tensor<1x3x4x5xf32>
    %s = nn.constant dense<[[[[1.8508, 1.5427, -0.0899, 1.7921, 0.6098]]]]> : tensor<1x1x1x5xf32>
    %s_fix = nn.fix %s {fix_point = 6} : tensor<1x1x1x5xf32>
    %p = nn.prelu %x_fix, %s_fix : (tensor<1x3x4x5xf32>, tensor<1x1x1x5xf32>) -> tensor<1x3x4x5xf32>
    %p_fix = nn.fix %p {fix_point = 5} : tensor<1x3x4x5xf32>
    %w = nn.constant dense<[0.1423, -0.2362, 0.3528, 0.1525, 0.3733]> : tensor<5xf32>
    %w_fix = nn.fix %w {fix_point = 8} : tensor<5xf32>
    %q = nn.prelu %x_fix, %w_fix : (tensor<1x3x4x5xf32>, tensor<5xf32>) -> tensor<1x3x4x5xf32>
    %q_fix = nn.fix %q {fix_point = 4} : tensor<1x3x4x5xf32>
    func.return %l_fix, %h_fix, %p_fix, %q_fix : tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>
  }
}
