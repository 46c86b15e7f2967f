// Operands: missing `%`, missing commas, stray commas.
func.func @main(%image: tensor<1x8x8x3xf32>, %w: tensor<6x5x5x3xf32>) -> tensor<1x8x8x3xf32> {
  %0 = nn.conv2d image, %w {strides = [1, 1]} : (tensor<1x8x8x3xf32>, tensor<6x5x5x3xf32>) -> tensor<1x8x8x3xf32>
  %1 = nn.add %0 %image : tensor<1x8x8x3xf32>
  %2 = nn.add %0, : tensor<1x8x8x3xf32>
  y = nn.relu %1 : tensor<1x8x8x3xf32>
  %3 = nn.relu %0a : tensor<1x8x8x3xf32>
  %4 = "nn.relu"(x) : (tensor<1x8x8x3xf32>) -> tensor<1x8x8x3xf32>
  %5 = nn.relu %4#99999999999 : tensor<1x8x8x3xf32>
  %6:0 = nn.split %5 : tensor<1x8x8x3xf32>
  % = nn.relu %5 : tensor<1x8x8x3xf32>
  func.return y : tensor<1x8x8x3xf32>
}
