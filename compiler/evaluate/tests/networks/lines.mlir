// A convolution, a pool and a normalisation over lines, a product with the rows of weights and one with -1, as the importer writes them.
module @lines {
  func.func @main(%x: tensor<1x9x2xf32>) -> (tensor<1x4x2xf32>, tensor<1x3xf32>, tensor<1x9x3xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x9x2xf32>
    %weights = nn.constant dense<[[[0.5, -0.25], [1.0, 0.75]], [[-0.5, 0.125], [0.25, 0.5]], [[0.0, 1.5], [-1.0, 0.25]]]> : tensor<3x2x2xf32>
    %weights_fix = nn.fix %weights {fix_point = 6} : tensor<3x2x2xf32>
    %filters = nn.reshape %weights_fix : (tensor<3x2x2xf32>) -> tensor<3x1x2x2xf32>
    %map = nn.reshape %x_fix : (tensor<1x9x2xf32>) -> tensor<1x1x9x2xf32>
    %conv = nn.conv2d %map, %filters {pads = [0, 0, 0, 1]} : (tensor<1x1x9x2xf32>, tensor<3x1x2x2xf32>) -> tensor<1x1x9x3xf32>
    %line = nn.reshape %conv : (tensor<1x1x9x3xf32>) -> tensor<1x9x3xf32>
    %relu = nn.relu %line : tensor<1x9x3xf32>
    %relu_fix = nn.fix %relu {fix_point = 4} : tensor<1x9x3xf32>
    %pooled_map = nn.max_pool %map {kernel = [1, 3], strides = [1, 2]} : (tensor<1x1x9x2xf32>) -> tensor<1x1x4x2xf32>
    %pooled = nn.reshape %pooled_map : (tensor<1x1x4x2xf32>) -> tensor<1x4x2xf32>
    %pooled_fix = nn.fix %pooled {fix_point = 5} : tensor<1x4x2xf32>
    %one = nn.constant dense<-1.0> : tensor<1xf32>
    %one_fix = nn.fix %one {fix_point = 0} : tensor<1xf32>
    %negative = nn.mul %pooled_fix, %one_fix : (tensor<1x4x2xf32>, tensor<1xf32>) -> tensor<1x4x2xf32>
    %negative_fix = nn.fix %negative {fix_point = 5} : tensor<1x4x2xf32>
    %flat = nn.reshape %negative_fix : (tensor<1x4x2xf32>) -> tensor<1x8xf32>
    %rows = nn.constant dense<0.25> : tensor<3x2x4xf32>
    %rows_fix = nn.fix %rows {fix_point = 4} : tensor<3x2x4xf32>
    %matrix = nn.reshape %rows_fix : (tensor<3x2x4xf32>) -> tensor<3x8xf32>
    %product = nn.matmul %flat, %matrix : (tensor<1x8xf32>, tensor<3x8xf32>) -> tensor<1x3xf32>
    %product_fix = nn.fix %product {fix_point = 4} : tensor<1x3xf32>
    func.return %negative_fix, %product_fix, %relu_fix : tensor<1x4x2xf32>, tensor<1x3xf32>, tensor<1x9x3xf32>
  }
}
