// The example of DESIGN.md, complete.
module @lenet {
  func.func @main(%image: tensor<1x32x32x3xf32>) -> tensor<1x28x28x6xf32> {
    %w = nn.constant @conv1.weight : tensor<6x5x5x3xf32>
    %b = nn.constant dense<[0.5, -1.0, 0.0, 2.0, 1.5e-3, 4.0]> : tensor<6xf32>
    %0 = nn.conv2d %image, %w, %b {strides = [1, 1], pads = [0, 0, 0, 0]} : (tensor<1x32x32x3xf32>, tensor<6x5x5x3xf32>, tensor<6xf32>) -> tensor<1x28x28x6xf32>
    %1 = nn.relu %0 : tensor<1x28x28x6xf32>
    func.return %1 : tensor<1x28x28x6xf32>
  }
}
