// Sums and products, constants of every shape.
module @elementwise {
  func.func @main(%x: tensor<1x3x4x5xf32>, %y: tensor<1x3x4x5xf32>, %z: tensor<1x1x1x5xf32>) -> (tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x3x4x5xf32>
    %y_fix = nn.fix %y {fix_point = 7} : tensor<1x3x4x5xf32>
    %z_fix = nn.fix %z {fix_point = 6} : tensor<1x1x1x5xf32>
    %a = nn.add %x_fix, %y_fix : tensor<1x3x4x5xf32>
    %ra = nn.relu %a : tensor<1x3x4x5xf32>
    %ra_fix = nn.fix %ra {fix_point = 5} : tensor<1x3x4x5xf32>
    %b = nn.add %y_fix, %x_fix : tensor<1x3x4x5xf32>
    %b_fix = nn.fix %b {fix_point = 4} : tensor<1x3x4x5xf32>
    %c = nn.mul %ra_fix, %b_fix : tensor<1x3x4x5xf32>
    %rc = nn.relu %c : tensor<1x3x4x5xf32>
    %rc_fix = nn.fix %rc {fix_point = 4} : tensor<1x3x4x5xf32>
    %k0 = nn.constant dense<[[[[-0.4727, 0.3072, 0.3460, -0.8027, -0.1319], [0.1506, 0.9199, 0.6531, 0.9650, 0.4533], [0.0182, 0.6445, -0.0706, -0.6000, 0.0949], [-0.2764, -0.2075, -0.9497, 0.8494, -0.3926]], [[-0.3148, -0.8278, -0.9378, -0.6682, 0.6569], [-0.2348, 0.2987, -0.8642, -0.2797, -0.0453], [0.7114, -0.8282, -0.7053, -0.5977, -0.4038], [0.8303, -0.8482, -0.7439, -0.2990, -0.2035]], [[-0.2845, 0.7050, -0.4096, 0.8837, -0.6206], [-0.4131, 0.8433, -0.8030, 0.0070, -0.2686], [0.2250, -0.4229, -0.6270, -0.0478, -0.4056], [0.3542, 0.9827, -0.0198, 0.0991, -0.2766]]]]> : tensor<1x3x4x5xf32>
    %k0_fix = nn.fix %k0 {fix_point = 6} : tensor<1x3x4x5xf32>
    %d = nn.mul %x_fix, %k0_fix : tensor<1x3x4x5xf32>
    %d_fix = nn.fix %d {fix_point = 5} : tensor<1x3x4x5xf32>
    %k1 = nn.constant dense<[-0.3364, 0.2303, 0.6952, -0.2113, 0.0327]> : tensor<5xf32>
    %k1_fix = nn.fix %k1 {fix_point = 6} : tensor<5xf32>
    %e = nn.mul %k1_fix, %d_fix : (tensor<5xf32>, tensor<1x3x4x5xf32>) -> tensor<1x3x4x5xf32>
    %e_fix = nn.fix %e {fix_point = 5} : tensor<1x3x4x5xf32>
    %k2 = nn.constant dense<[0.1309]> : tensor<1xf32>
    %k2_fix = nn.fix %k2 {fix_point = 6} : tensor<1xf32>
    %f = nn.mul %e_fix, %k2_fix : (tensor<1x3x4x5xf32>, tensor<1xf32>) -> tensor<1x3x4x5xf32>
    %rf = nn.relu6 %f : tensor<1x3x4x5xf32>
    %rf_fix = nn.fix %rf {fix_point = 5} : tensor<1x3x4x5xf32>
    %k3 = nn.constant dense<[[[[0.5887]], [[0.3154]], [[-0.6106]]]]> : tensor<1x3x1x1xf32>
    %k3_fix = nn.fix %k3 {fix_point = 6} : tensor<1x3x1x1xf32>
    %g = nn.mul %rf_fix, %k3_fix : (tensor<1x3x4x5xf32>, tensor<1x3x1x1xf32>) -> tensor<1x3x4x5xf32>
    %g_fix = nn.fix %g {fix_point = 5} : tensor<1x3x4x5xf32>
    %k4 = nn.constant dense<[[0.5490], [0.5978], [0.3710], [-0.9741]]> : tensor<4x1xf32>
    %k4_fix = nn.fix %k4 {fix_point = 6} : tensor<4x1xf32>
    %h = nn.add %g_fix, %k4_fix : (tensor<1x3x4x5xf32>, tensor<4x1xf32>) -> tensor<1x3x4x5xf32>
    %h_fix = nn.fix %h {fix_point = 4} : tensor<1x3x4x5xf32>
    %i = nn.mul %h_fix, %z_fix : (tensor<1x3x4x5xf32>, tensor<1x1x1x5xf32>) -> tensor<1x3x4x5xf32>
    %i_fix = nn.fix %i {fix_point = 4} : tensor<1x3x4x5xf32>
    %j = nn.sub %x_fix, %y_fix : tensor<1x3x4x5xf32>
    %j_fix = nn.fix %j {fix_point = 4} : tensor<1x3x4x5xf32>
    %k = nn.add %x_fix, %x_fix : tensor<1x3x4x5xf32>
    %k_fix = nn.fix %k {fix_point = 5} : tensor<1x3x4x5xf32>
    func.return %rc_fix, %i_fix, %j_fix, %k_fix : tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>
  }
}
