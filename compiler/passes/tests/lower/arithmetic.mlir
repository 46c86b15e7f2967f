// What each arithmetic operator becomes: a gate and a product, taps with slopes, a filter of ones, depthwise weights and bias, groups.
// The slope 0.1 is not the hardware's and stays.
module @arithmetic {
  func.func @main(%x: tensor<1x3x4x4xf32>) -> (tensor<1x3x4x4xf32>, tensor<1x3x4x1xf32>, tensor<1x3x4x4xf32>, tensor<1x3x4x4xf32>, tensor<1x3x4x4xf32>) {
    %x_fix = nn.fix %x {fix_point = 4} : tensor<1x3x4x4xf32> loc("x_fix")
    %swish = nn.hard_swish %x_fix : tensor<1x3x4x4xf32> loc("swish")
    %swish_fix = nn.fix %swish {fix_point = 5} : tensor<1x3x4x4xf32> loc("swish_fix")
    %mean = nn.reduce_mean %swish_fix {axes = [3]} : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x1xf32> loc("mean")
    %mean_fix = nn.fix %mean {fix_point = 6} : tensor<1x3x4x1xf32> loc("mean_fix")
    %slopes = nn.constant dense<[0.25, -0.5, 1.5, 0.0]> : tensor<4xf32> loc("slopes")
    %slopes_fix = nn.fix %slopes {fix_point = 6} : tensor<4xf32> loc("slopes_fix")
    %prelu = nn.prelu %x_fix, %slopes_fix : (tensor<1x3x4x4xf32>, tensor<4xf32>) -> tensor<1x3x4x4xf32> loc("prelu")
    %prelu_fix = nn.fix %prelu {fix_point = 4} : tensor<1x3x4x4xf32> loc("prelu_fix")
    %offset = nn.sub %prelu_fix, %slopes_fix : (tensor<1x3x4x4xf32>, tensor<4xf32>) -> tensor<1x3x4x4xf32> loc("offset")
    %offset_fix = nn.fix %offset {fix_point = 4} : tensor<1x3x4x4xf32> loc("offset_fix")
    %weights = nn.constant dense<[[[[0.5, -0.25]]], [[[1.0, 0.125]]], [[[0.0, 0.5]]], [[[0.75, 1.0]]]]> : tensor<4x1x1x2xf32> loc("weights")
    %weights_fix = nn.fix %weights {fix_point = 6} : tensor<4x1x1x2xf32> loc("weights_fix")
    %grouped = nn.conv2d %offset_fix, %weights_fix {groups = 2} : (tensor<1x3x4x4xf32>, tensor<4x1x1x2xf32>) -> tensor<1x3x4x4xf32> loc("grouped")
    %grouped_fix = nn.fix %grouped {fix_point = 4} : tensor<1x3x4x4xf32> loc("grouped_fix")
    %leaky = nn.leaky_relu %grouped_fix {alpha = 0.1} : tensor<1x3x4x4xf32> loc("leaky")
    %leaky_fix = nn.fix %leaky {fix_point = 4} : tensor<1x3x4x4xf32> loc("leaky_fix")
    func.return %swish_fix, %mean_fix, %offset_fix, %grouped_fix, %leaky_fix : tensor<1x3x4x4xf32>, tensor<1x3x4x1xf32>, tensor<1x3x4x4xf32>, tensor<1x3x4x4xf32>, tensor<1x3x4x4xf32>
  }
}
