// Factors and offsets for each channel become weights and bias of the layer in front, unless somebody else reads that or it is rounded.
module @affine {
  func.func @layers(%x: tensor<1x2x2x2xf32>, %row: tensor<1x2xf32>) -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1x4x4x2xf32>, tensor<1x3xf32>, tensor<1x3xf32>) {
    %factors = nn.constant dense<[2.0, 4.0]> : tensor<2xf32>
    %offsets = nn.constant dense<[[[[1.0, -1.0]]]]> : tensor<1x1x1x2xf32>
    %half = nn.constant dense<0.5> : tensor<1xf32>
    %w = nn.constant dense<[[[[1.0, 2.0]]], [[[3.0, 4.0]]]]> : tensor<2x1x1x2xf32>
    %b = nn.constant dense<[8.0, 16.0]> : tensor<2xf32>
    %conv = nn.conv2d %x, %w, %b : (tensor<1x2x2x2xf32>, tensor<2x1x1x2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
    %scaled = nn.mul %conv, %factors : (tensor<1x2x2x2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
    %moved = nn.sub %scaled, %offsets : (tensor<1x2x2x2xf32>, tensor<1x1x1x2xf32>) -> tensor<1x2x2x2xf32>
    %d = nn.constant dense<[[[[1.0, 2.0]], [[3.0, 4.0]]]]> : tensor<1x2x1x2xf32>
    %depthwise = nn.depthwise_conv2d %x, %d {pads = [1, 0, 0, 0]} : (tensor<1x2x2x2xf32>, tensor<1x2x1x2xf32>) -> tensor<1x2x2x2xf32>
    %divided = nn.div %depthwise, %factors : (tensor<1x2x2x2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
    %t = nn.constant dense<0.25> : tensor<2x2x2x2xf32>
    %transposed = nn.transposed_conv2d %x, %t {strides = [2, 2]} : (tensor<1x2x2x2xf32>, tensor<2x2x2x2xf32>) -> tensor<1x4x4x2xf32>
    %halved = nn.mul %half, %transposed : (tensor<1xf32>, tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
    %m = nn.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
    %tens = nn.constant dense<[[10.0, 100.0, 1000.0]]> : tensor<1x3xf32>
    %product = nn.matmul %row, %m {transpose_b = false} : (tensor<1x2xf32>, tensor<2x3xf32>) -> tensor<1x3xf32>
    %large = nn.mul %product, %tens : tensor<1x3xf32>
    %n = nn.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
    %other = nn.matmul %row, %n : (tensor<1x2xf32>, tensor<3x2xf32>) -> tensor<1x3xf32>
    %larger = nn.mul %other, %tens : tensor<1x3xf32>
    func.return %moved, %divided, %halved, %large, %larger : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1x4x4x2xf32>, tensor<1x3xf32>, tensor<1x3xf32>
  }
  func.func @kept(%x: tensor<1x2x2x2xf32>) -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
    %factors = nn.constant dense<[2.0, 4.0]> : tensor<2xf32>
    %columns = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %w = nn.constant dense<[[[[1.0, 2.0]]], [[[3.0, 4.0]]]]> : tensor<2x1x1x2xf32>
    %conv = nn.conv2d %x, %w : (tensor<1x2x2x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x2x2x2xf32>
    %scaled = nn.mul %conv, %factors : (tensor<1x2x2x2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
    %fix = nn.fix %conv {fix_point = 3} : tensor<1x2x2x2xf32>
    %rounded = nn.mul %fix, %factors : (tensor<1x2x2x2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
    %again = nn.conv2d %x, %w : (tensor<1x2x2x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x2x2x2xf32>
    %uneven = nn.mul %again, %columns : (tensor<1x2x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2x2xf32>
    // Two steps are one.
    %first = nn.add %x, %factors : (tensor<1x2x2x2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
    %second = nn.sub %first, %factors : (tensor<1x2x2x2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
    func.return %scaled, %rounded, %uneven, %second : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
  }
}
