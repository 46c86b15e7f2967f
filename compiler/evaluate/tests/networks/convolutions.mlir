// Strides, dilations, pads, activations, biases that are finer than the accumulator, and none.
module @convolutions {
  func.func @main(%x: tensor<1x7x6x3xf32>) -> (tensor<1x4x5x3xf32>, tensor<1x4x5x3xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x7x6x3xf32>
    %w0 = nn.constant dense<[[[[0.1542, -0.0297, -0.2418], [0.1988, -0.0291, -0.2886], [0.6925, -0.1560, 0.6839]], [[0.2958, 0.1738, 0.2895], [0.0226, 0.4431, 0.1824], [-0.1256, -0.6823, -0.3125]], [[0.0204, -0.2150, -0.7689], [0.8009, -0.9353, -0.1685], [0.6819, 0.6145, -0.6784]]], [[[0.7261, 0.2452, 0.7804], [0.3798, -0.6347, -0.7720], [-0.6970, -0.2836, 0.1292]], [[-0.4043, 0.9948, 0.6955], [-0.1429, -0.1756, 0.0275], [0.6982, 0.0984, 0.2573]], [[-0.0087, -0.1337, 0.1986], [-0.4420, -0.4416, 0.4206], [0.7584, 0.1269, 0.4021]]], [[[0.3376, -0.1830, -0.7915], [0.3477, -0.0524, -0.3022], [-0.2495, -0.7013, -0.3507]], [[0.4670, 0.3992, 0.1592], [-0.5495, -0.8297, -0.1226], [0.4293, -0.8710, 0.0689]], [[-0.9569, -0.5200, 0.3596], [-0.1295, -0.2363, -0.5694], [0.9190, -0.1007, -0.1217]]], [[[-0.7839, -0.5444, 0.0442], [0.9188, -0.6512, -0.6634], [-0.5125, 0.8563, -0.0724]], [[0.8115, -0.2568, 0.2535], [0.3746, 0.6927, -0.0119], [0.2486, 0.2775, -0.7265]], [[0.6818, 0.0317, 0.6836], [-0.1373, -0.7143, -0.1674], [0.4947, 0.9027, 0.1981]]]]> : tensor<4x3x3x3xf32>
    %w0_fix = nn.fix %w0 {fix_point = 7} : tensor<4x3x3x3xf32>
    %b0 = nn.constant dense<[-0.0010, 0.0005, 0.0025, -0.0022]> : tensor<4xf32>
    %b0_fix = nn.fix %b0 {fix_point = 16} : tensor<4xf32>
    %c0 = nn.conv2d %x_fix, %w0_fix, %b0_fix {strides = [2, 2], pads = [1, 1, 1, 0]} : (tensor<1x7x6x3xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>) -> tensor<1x4x3x4xf32>
    %r0 = nn.relu %c0 : tensor<1x4x3x4xf32>
    %r0_fix = nn.fix %r0 {fix_point = 5} : tensor<1x4x3x4xf32>
    %w1 = nn.constant dense<[[[[0.5825, 0.0659, 0.6570, -0.2928]], [[-0.1677, 0.1775, 0.7604, -0.4719]]], [[[0.3786, -0.0671, 0.5283, -0.6678]], [[0.3828, 0.5678, -0.4601, 0.1637]]], [[[0.5711, -0.5110, -0.0505, 0.9370]], [[-0.6678, -0.6827, -0.3859, 0.5268]]], [[[0.4407, 0.4073, -0.4022, -0.3854]], [[-0.3799, 0.5732, -0.3979, -0.3537]]], [[[0.2821, -0.1263, -0.7167, -0.0200]], [[-0.5252, 0.5516, -0.9260, -0.5759]]]]> : tensor<5x2x1x4xf32>
    %w1_fix = nn.fix %w1 {fix_point = 6} : tensor<5x2x1x4xf32>
    %b1 = nn.constant dense<[-0.1145, -0.7734, -0.2914, -0.9264, -0.4761]> : tensor<5xf32>
    %b1_fix = nn.fix %b1 {fix_point = 10} : tensor<5xf32>
    %c1 = nn.conv2d %r0_fix, %w1_fix, %b1_fix {pads = [1, 1, 1, 1], dilations = [2, 3]} : (tensor<1x4x3x4xf32>, tensor<5x2x1x4xf32>, tensor<5xf32>) -> tensor<1x4x5x5xf32>
    %r1 = nn.leaky_relu %c1 {alpha = 0.1015625} : tensor<1x4x5x5xf32>
    %r1_fix = nn.fix %r1 {fix_point = 4} : tensor<1x4x5x5xf32>
    %w2 = nn.constant dense<[[[[0.2011, -0.6164, 0.6019, 0.5693, 0.9434]]], [[[-0.9753, -0.3607, 0.7700, 0.8435, -0.0361]]], [[[-0.8187, 0.1384, 0.0862, -0.4731, 0.2087]]]]> : tensor<3x1x1x5xf32>
    %w2_fix = nn.fix %w2 {fix_point = 7} : tensor<3x1x1x5xf32>
    %c2 = nn.conv2d %r1_fix, %w2_fix : (tensor<1x4x5x5xf32>, tensor<3x1x1x5xf32>) -> tensor<1x4x5x3xf32>
    %r2 = nn.relu6 %c2 : tensor<1x4x5x3xf32>
    %r2_fix = nn.fix %r2 {fix_point = 4} : tensor<1x4x5x3xf32>
    %w3 = nn.constant dense<[[[[-0.6986, 0.6566, 0.5027, 0.0342, -0.8313]]], [[[0.5299, -0.1332, -0.0798, 0.3677, -0.2334]]], [[[0.7330, 0.3745, -0.9524, 0.3218, -0.9089]]]]> : tensor<3x1x1x5xf32>
    %w3_fix = nn.fix %w3 {fix_point = 3} : tensor<3x1x1x5xf32>
    %b3 = nn.constant dense<[2.9149, 2.7347, -1.9650]> : tensor<3xf32>
    %b3_fix = nn.fix %b3 {fix_point = 2} : tensor<3xf32>
    %c3 = nn.conv2d %r1_fix, %w3_fix, %b3_fix : (tensor<1x4x5x5xf32>, tensor<3x1x1x5xf32>, tensor<3xf32>) -> tensor<1x4x5x3xf32>
    %r3 = nn.relu6 %c3 : tensor<1x4x5x3xf32>
    %r3_fix = nn.fix %r3 {fix_point = 5} : tensor<1x4x5x3xf32>
    func.return %r2_fix, %r3_fix : tensor<1x4x5x3xf32>, tensor<1x4x5x3xf32>
  }
}
