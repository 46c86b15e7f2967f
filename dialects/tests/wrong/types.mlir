module {
  func.func @main(%image: tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32> {
    %0 = nn.relu %image : tensor<1x4x4x9xf32>
    %1 = nn.fix %image {fix_point = 300} : tensor<1x4x4x8xf32>
    %2 = nn.fix %image {fixpoint = 3} : tensor<1x4x4x8xf32>
    %3 = nn.max_pool %image {kernel = [2, 2], strides = [2, 2]} : (tensor<1x4x4x8xf32>) -> tensor<1x3x3x8xf32>
    %4 = nn.add %image, %3 : (tensor<1x4x4x8xf32>, tensor<1x3x3x8xf32>) -> tensor<1x4x4x8xf32>
    %5 = nn.relu %image
    func.return %3 : tensor<1x3x3x8xf32>
  }
  func.func @main(%x: tensor<1x2xf32>) {
    func.return %x : tensor<1x2xf32>
  }
}
