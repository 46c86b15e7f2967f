// left: nn.argmax
// Indices of maxima are codes of fix point 0, rounded or not; ties go to the first. More than 128 elements stay in floating point.
module @argmaxima {
  func.func @main(%x: tensor<1x4x8x16xf32>, %wide: tensor<1x2x3x129xf32>) -> (tensor<1x4x8x1xf32>, tensor<1x4x1x16xf32>, tensor<1x1x8x16xf32>, tensor<1x2x3x1xf32>, tensor<1x2x3x1xf32>, tensor<1x2x3x1xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x4x8x16xf32>
    %a = nn.argmax %x_fix {axis = 3} : (tensor<1x4x8x16xf32>) -> tensor<1x4x8x1xf32>
    %b = nn.argmax %x_fix {axis = 2} : (tensor<1x4x8x16xf32>) -> tensor<1x4x1x16xf32>
    %b_fix = nn.fix %b {fix_point = 0} : tensor<1x4x1x16xf32>
    %c = nn.argmax %x_fix {axis = 1} : (tensor<1x4x8x16xf32>) -> tensor<1x1x8x16xf32>
    %c_fix = nn.fix %c {fix_point = 6} : tensor<1x1x8x16xf32>
    %wide_fix = nn.fix %wide {fix_point = 4} : tensor<1x2x3x129xf32>
    %part = nn.strided_slice %wide_fix {begin = [0, 0, 0, 1], end = [1, 2, 3, 129], strides = [1, 1, 1, 1]} : (tensor<1x2x3x129xf32>) -> tensor<1x2x3x128xf32>
    %d = nn.argmax %part {axis = 3} : (tensor<1x2x3x128xf32>) -> tensor<1x2x3x1xf32>
    %d_fix = nn.fix %d {fix_point = -1} : tensor<1x2x3x1xf32>
    %e = nn.argmax %wide_fix {axis = 3} : (tensor<1x2x3x129xf32>) -> tensor<1x2x3x1xf32>
    %e_fix = nn.fix %e {fix_point = 0} : tensor<1x2x3x1xf32>
    func.return %a, %b_fix, %c_fix, %d_fix, %e_fix, %e : tensor<1x4x8x1xf32>, tensor<1x4x1x16xf32>, tensor<1x1x8x16xf32>, tensor<1x2x3x1xf32>, tensor<1x2x3x1xf32>, tensor<1x2x3x1xf32>
  }
}
