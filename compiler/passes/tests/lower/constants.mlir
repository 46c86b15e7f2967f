// A scale of each channel whose weights were reshaped, constants broadcast, and one constant at two fix points.
module @constants {
  func.func @main(%x: tensor<1x2x2x3xf32>) -> (tensor<1x2x2x3xf32>, tensor<1x2x2x3xf32>, tensor<1x2x2x3xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x2x2x3xf32>
    %scale = nn.constant dense<[0.5, -0.25, 0.75]> : tensor<3xf32>
    %fine = nn.fix %scale {fix_point = 6} : tensor<3xf32>
    %coarse = nn.fix %scale {fix_point = 2} : tensor<3xf32>
    %weights = nn.reshape %fine : (tensor<3xf32>) -> tensor<1x1x1x3xf32>
    %scaled = nn.depthwise_conv2d %x_fix, %weights, %coarse : (tensor<1x2x2x3xf32>, tensor<1x1x1x3xf32>, tensor<3xf32>) -> tensor<1x2x2x3xf32>
    %scaled_fix = nn.fix %scaled {fix_point = 5} : tensor<1x2x2x3xf32>
    %product = nn.mul %fine, %x_fix : (tensor<3xf32>, tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
    %product_fix = nn.fix %product {fix_point = 5} : tensor<1x2x2x3xf32>
    %row = nn.constant dense<[[0.5], [1.5]]> : tensor<2x1xf32>
    %row_fix = nn.fix %row {fix_point = 4} : tensor<2x1xf32>
    %sum = nn.add %x_fix, %row_fix : (tensor<1x2x2x3xf32>, tensor<2x1xf32>) -> tensor<1x2x2x3xf32>
    %sum_fix = nn.fix %sum {fix_point = 4} : tensor<1x2x2x3xf32>
    func.return %scaled_fix, %product_fix, %sum_fix : tensor<1x2x2x3xf32>, tensor<1x2x2x3xf32>, tensor<1x2x2x3xf32>
  }
}
