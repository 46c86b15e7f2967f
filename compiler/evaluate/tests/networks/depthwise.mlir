// Depthwise and transposed convolutions.
module @depthwise {
  func.func @main(%x: tensor<2x5x4x3xf32>) -> tensor<2x12x12x2xf32> {
    %x_fix = nn.fix %x {fix_point = 4} : tensor<2x5x4x3xf32>
    %w0 = nn.constant dense<[[[[-0.6896, -0.9023, -0.1610], [-0.4757, 0.5569, 0.6802]], [[-0.4456, -0.7872, -0.0781], [-0.8549, -0.9191, 0.5388]], [[0.1086, -0.7104, 0.2564], [0.8486, 0.1078, 0.7164]]]]> : tensor<1x3x2x3xf32>
    %w0_fix = nn.fix %w0 {fix_point = 6} : tensor<1x3x2x3xf32>
    %b0 = nn.constant dense<[0.8665, 0.5648, -0.8388]> : tensor<3xf32>
    %b0_fix = nn.fix %b0 {fix_point = 5} : tensor<3xf32>
    %dw = nn.depthwise_conv2d %x_fix, %w0_fix, %b0_fix {strides = [2, 1], pads = [1, 1, 1, 0]} : (tensor<2x5x4x3xf32>, tensor<1x3x2x3xf32>, tensor<3xf32>) -> tensor<2x3x4x3xf32>
    %r = nn.relu %dw : tensor<2x3x4x3xf32>
    %r_fix = nn.fix %r {fix_point = 4} : tensor<2x3x4x3xf32>
    %w1 = nn.constant dense<[[[[-0.1677, 0.3645, -0.0438], [-0.8452, 0.7517, 0.2582], [-0.1531, 0.2561, -0.8635]], [[-0.3014, 0.0095, -0.7520], [0.9610, 0.8304, -0.5509], [0.1548, -0.6023, -0.0909]], [[0.5060, -0.9876, 0.4069], [0.5367, -0.1346, 0.9958], [-0.1830, 0.8095, 0.3692]], [[0.0713, -0.2268, -0.0861], [0.4533, 0.6053, -0.9448], [-0.1211, -0.9412, -0.3002]]], [[[0.4488, -0.9215, -0.2519], [0.4681, -0.8458, 0.9349], [0.4530, 0.7537, -0.1097]], [[0.4460, 0.0514, 0.1374], [-0.7540, -0.3700, 0.7175], [0.8559, -0.9934, 0.0791]], [[-0.7625, -0.0282, 0.6693], [0.2084, -0.3058, -0.0811], [-0.9847, -0.7611, -0.9534]], [[-0.2219, -0.5351, -0.2309], [0.5807, 0.4594, 0.8207], [-0.0034, 0.5786, 0.7625]]]]> : tensor<2x4x3x3xf32>
    %w1_fix = nn.fix %w1 {fix_point = 7} : tensor<2x4x3x3xf32>
    %b1 = nn.constant dense<[-0.8829, -0.8552]> : tensor<2xf32>
    %b1_fix = nn.fix %b1 {fix_point = 7} : tensor<2xf32>
    %up = nn.transposed_conv2d %r_fix, %w1_fix, %b1_fix {strides = [2, 1], pads = [1, 0, 1, 0]} : (tensor<2x3x4x3xf32>, tensor<2x4x3x3xf32>, tensor<2xf32>) -> tensor<2x6x6x2xf32>
    %up_fix = nn.fix %up {fix_point = 3} : tensor<2x6x6x2xf32>
    %w2 = nn.constant dense<[[[[-0.4567, 0.3169], [0.8306, -0.2291]], [[0.7440, 0.5515], [0.8252, 0.3050]]]]> : tensor<1x2x2x2xf32>
    %w2_fix = nn.fix %w2 {fix_point = 7} : tensor<1x2x2x2xf32>
    %dup = nn.transposed_depthwise_conv2d %up_fix, %w2_fix {strides = [2, 2]} : (tensor<2x6x6x2xf32>, tensor<1x2x2x2xf32>) -> tensor<2x12x12x2xf32>
    %r2 = nn.leaky_relu %dup {alpha = 0.1015625} : tensor<2x12x12x2xf32>
    %r2_fix = nn.fix %r2 {fix_point = 3} : tensor<2x12x12x2xf32>
    func.return %r2_fix : tensor<2x12x12x2xf32>
  }
}
