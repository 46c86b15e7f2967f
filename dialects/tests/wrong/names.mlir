module {
  func.func @main(%image: tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32> {
    %0 = nn.rellu %image : tensor<1x4x4x8xf32>
    %1 = nn.relu %imag : tensor<1x4x4x8xf32>
    %2 = vendor.magic %1 : tensor<1x4x4x8xf32>
    %2 = nn.relu %1 : tensor<1x4x4x8xf32>
    func.return %1 : tensor<1x4x4x8xf32>
  }
}
