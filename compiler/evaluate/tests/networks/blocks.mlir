// Space and channels exchanged, and padding with codes or, in the last, with a number that is none until it is rounded.
module @blocks {
  func.func @main(%x: tensor<1x4x4x4xf32>) -> (tensor<1x2x2x16xf32>, tensor<1x8x8x1xf32>, tensor<1x2x2x16xf32>, tensor<1x6x4x4xf32>, tensor<1x4x5x4xf32>, tensor<1x4x4x2xf32>, tensor<4x1x4x4xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x4x4x4xf32>
    %focus = nn.space_to_depth %x_fix {block = 2} : (tensor<1x4x4x4xf32>) -> tensor<1x2x2x16xf32>
    %focus_fix = nn.fix %focus {fix_point = 5} : tensor<1x2x2x16xf32>
    %w = nn.constant dense<[[[[0.5, -0.25, 0.125, 0.75]]], [[[0.1, 0.2, 0.3, 0.4]]], [[[-0.5, 0.25, -0.125, -0.75]]], [[[0.9, -0.9, 0.3, 0.1]]]]> : tensor<4x1x1x4xf32>
    %w_fix = nn.fix %w {fix_point = 6} : tensor<4x1x1x4xf32>
    %conv = nn.conv2d %x_fix, %w_fix : (tensor<1x4x4x4xf32>, tensor<4x1x1x4xf32>) -> tensor<1x4x4x4xf32>
    %shuffled = nn.depth_to_space %conv {block = 2, order = "crd"} : (tensor<1x4x4x4xf32>) -> tensor<1x8x8x1xf32>
    %shuffled_fix = nn.fix %shuffled {fix_point = 4} : tensor<1x8x8x1xf32>
    %reorg = nn.space_to_depth %x_fix {block = 2, order = "reorg"} : (tensor<1x4x4x4xf32>) -> tensor<1x2x2x16xf32>
    %reorg_fix = nn.fix %reorg {fix_point = 3} : tensor<1x2x2x16xf32>
    %ones = nn.pad %x_fix {paddings = [0, 0, 1, 1, 0, 0, 0, 0], value = 1.0} : (tensor<1x4x4x4xf32>) -> tensor<1x6x4x4xf32>
    %tenths = nn.pad %x_fix {paddings = [0, 0, 0, 0, 0, 1, 0, 0], value = -0.1} : (tensor<1x4x4x4xf32>) -> tensor<1x4x5x4xf32>
    %tenths_fix = nn.fix %tenths {fix_point = 5} : tensor<1x4x5x4xf32>
    %left, %right = nn.split %x_fix {axis = 3} : (tensor<1x4x4x4xf32>) -> (tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>)
    %sum = nn.add %left, %right : tensor<1x4x4x2xf32>
    %sum_fix = nn.fix %sum {fix_point = 4} : tensor<1x4x4x2xf32>
    %turned = nn.transpose %w_fix {order = [3, 1, 2, 0]} : (tensor<4x1x1x4xf32>) -> tensor<4x1x1x4xf32>
    %other = nn.conv2d %x_fix, %turned : (tensor<1x4x4x4xf32>, tensor<4x1x1x4xf32>) -> tensor<1x4x4x4xf32>
    %other_fix = nn.fix %other {fix_point = 4} : tensor<1x4x4x4xf32>
    %rows = nn.transpose %other_fix {order = [1, 0, 2, 3]} : (tensor<1x4x4x4xf32>) -> tensor<4x1x4x4xf32>
    func.return %focus_fix, %shuffled_fix, %reorg_fix, %ones, %tenths_fix, %sum_fix, %rows : tensor<1x2x2x16xf32>, tensor<1x8x8x1xf32>, tensor<1x2x2x16xf32>, tensor<1x6x4x4xf32>, tensor<1x4x5x4xf32>, tensor<1x4x4x2xf32>, tensor<4x1x4x4xf32>
  }
}
