// A rounding behind a concatenation moves in front of it.
module @concatenation {
  func.func @main(%x: tensor<1x4x4x2xf32>) -> (tensor<1x4x4x13xf32>, tensor<1x8x4x2xf32>, tensor<1x4x4x3xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x4x4x2xf32>
    %w0 = nn.constant dense<[[[[0.3381, -0.1645]]], [[[0.3137, 0.7620]]], [[[-0.3526, -0.8030]]]]> : tensor<3x1x1x2xf32>
    %w0_fix = nn.fix %w0 {fix_point = 6} : tensor<3x1x1x2xf32>
    %b0 = nn.constant dense<[0.2724, -0.3581, -0.1918]> : tensor<3xf32>
    %b0_fix = nn.fix %b0 {fix_point = 6} : tensor<3xf32>
    %c0 = nn.conv2d %x_fix, %w0_fix, %b0_fix : (tensor<1x4x4x2xf32>, tensor<3x1x1x2xf32>, tensor<3xf32>) -> tensor<1x4x4x3xf32>
    %ra = nn.relu %c0 : tensor<1x4x4x3xf32>
    %w1 = nn.constant dense<[[[[0.6763, 0.5364]]], [[[0.1041, 0.7227]]]]> : tensor<2x1x1x2xf32>
    %w1_fix = nn.fix %w1 {fix_point = 6} : tensor<2x1x1x2xf32>
    %c1 = nn.conv2d %x_fix, %w1_fix : (tensor<1x4x4x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x4x4x2xf32>
    %c1_fix = nn.fix %c1 {fix_point = 6} : tensor<1x4x4x2xf32>
    %w2 = nn.constant dense<[[[[-0.4348, -0.2715]]], [[[-0.3216, 0.6232]]]]> : tensor<2x1x1x2xf32>
    %w2_fix = nn.fix %w2 {fix_point = 6} : tensor<2x1x1x2xf32>
    %c2 = nn.conv2d %x_fix, %w2_fix : (tensor<1x4x4x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x4x4x2xf32>
    %m = nn.max_pool %c2 {kernel = [3, 3], pads = [1, 1, 1, 1]} : (tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
    %cat = nn.concat %ra, %c1_fix, %m, %x_fix {axis = 3} : (tensor<1x4x4x3xf32>, tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>) -> tensor<1x4x4x9xf32>
    %cat_fix = nn.fix %cat {fix_point = 4} : tensor<1x4x4x9xf32>
    %w3 = nn.constant dense<[[[[0.9844, 0.8776]]], [[[-0.0753, -0.3629]]]]> : tensor<2x1x1x2xf32>
    %w3_fix = nn.fix %w3 {fix_point = 6} : tensor<2x1x1x2xf32>
    %c3 = nn.conv2d %x_fix, %w3_fix : (tensor<1x4x4x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x4x4x2xf32>
    %inner = nn.concat %x_fix, %c3 {axis = 3} : (tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>) -> tensor<1x4x4x4xf32>
    %outer = nn.concat %inner, %cat_fix {axis = 3} : (tensor<1x4x4x4xf32>, tensor<1x4x4x9xf32>) -> tensor<1x4x4x13xf32>
    %outer_fix = nn.fix %outer {fix_point = 3} : tensor<1x4x4x13xf32>
    %same = nn.concat %x_fix, %x_fix {axis = 1} : (tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>) -> tensor<1x8x4x2xf32>
    %k = nn.constant dense<[[[[-0.4130], [-0.7493], [-0.7509], [0.1846]], [[-0.9048], [0.0416], [0.1073], [0.5697]], [[-0.1434], [-0.0815], [0.2278], [0.5011]], [[-0.8613], [-0.4717], [-0.3272], [0.0168]]]]> : tensor<1x4x4x1xf32>
    %withconst = nn.concat %x_fix, %k {axis = 3} : (tensor<1x4x4x2xf32>, tensor<1x4x4x1xf32>) -> tensor<1x4x4x3xf32>
    %withconst_fix = nn.fix %withconst {fix_point = 5} : tensor<1x4x4x3xf32>
    func.return %outer_fix, %same, %withconst_fix : tensor<1x4x4x13xf32>, tensor<1x8x4x2xf32>, tensor<1x4x4x3xf32>
  }
}
