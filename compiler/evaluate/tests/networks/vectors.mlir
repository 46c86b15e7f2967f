// Maps with vectors of their channels, computed and constant; a normalisation; differences in both orders.
module @vectors {
  func.func @main(%x: tensor<1x3x4x5xf32>, %v: tensor<1x1x1x5xf32>) -> (tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x3x4x5xf32>
    %v_fix = nn.fix %v {fix_point = 6} : tensor<1x1x1x5xf32>
    %a = nn.mul %x_fix, %v_fix : (tensor<1x3x4x5xf32>, tensor<1x1x1x5xf32>) -> tensor<1x3x4x5xf32>
    %a_fix = nn.fix %a {fix_point = 5} : tensor<1x3x4x5xf32>
    %b = nn.add %v_fix, %x_fix : (tensor<1x1x1x5xf32>, tensor<1x3x4x5xf32>) -> tensor<1x3x4x5xf32>
    %b_fix = nn.fix %b {fix_point = 4} : tensor<1x3x4x5xf32>
    %s = nn.constant dense<[0.2458, 0.4836, 0.5904, 0.8849, 0.4798]> : tensor<5xf32>
    %s_fix = nn.fix %s {fix_point = 6} : tensor<5xf32>
    %o = nn.constant dense<[[[[0.8446, -0.9420, -0.0688, 0.8867, 0.2979]]]]> : tensor<1x1x1x5xf32>
    %o_fix = nn.fix %o {fix_point = 7} : tensor<1x1x1x5xf32>
    %m = nn.mul %x_fix, %s_fix : (tensor<1x3x4x5xf32>, tensor<5xf32>) -> tensor<1x3x4x5xf32>
    %q = nn.add %m, %o_fix : (tensor<1x3x4x5xf32>, tensor<1x1x1x5xf32>) -> tensor<1x3x4x5xf32>
    %r = nn.relu %q : tensor<1x3x4x5xf32>
    %r_fix = nn.fix %r {fix_point = 5} : tensor<1x3x4x5xf32>
    %c = nn.constant dense<[0.8018, -0.7736, -0.0619, -0.5069, 0.0875]> : tensor<5xf32>
    %c_fix = nn.fix %c {fix_point = 6} : tensor<5xf32>
    %d = nn.sub %x_fix, %c_fix : (tensor<1x3x4x5xf32>, tensor<5xf32>) -> tensor<1x3x4x5xf32>
    %d_fix = nn.fix %d {fix_point = 5} : tensor<1x3x4x5xf32>
    %e = nn.sub %c_fix, %x_fix : (tensor<5xf32>, tensor<1x3x4x5xf32>) -> tensor<1x3x4x5xf32>
    %e_fix = nn.fix %e {fix_point = 4} : tensor<1x3x4x5xf32>
    %f = nn.add %x_fix, %c_fix : (tensor<1x3x4x5xf32>, tensor<5xf32>) -> tensor<1x3x4x5xf32>
    %f_fix = nn.fix %f {fix_point = 8} : tensor<1x3x4x5xf32>
    %k = nn.constant dense<[[[0.1479, -0.9738, -0.5665, -0.4410, 0.8327]], [[0.5315, -0.6808, 0.5943, -0.7225, 0.2349]], [[-0.7466, -0.9965, 0.7428, -0.5811, -0.5690]]]> : tensor<3x1x5xf32>
    %k_fix = nn.fix %k {fix_point = 6} : tensor<3x1x5xf32>
    %g = nn.sub %x_fix, %k_fix : (tensor<1x3x4x5xf32>, tensor<3x1x5xf32>) -> tensor<1x3x4x5xf32>
    %g_fix = nn.fix %g {fix_point = 5} : tensor<1x3x4x5xf32>
    func.return %a_fix, %b_fix, %r_fix, %d_fix, %e_fix, %f_fix, %g_fix : tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>
  }
}
