// An index is a code of fix point 0, with or without a rounding; another fix point needs one. Indices above 127 are no codes.
module @argmax {
  func.func @main(%x: tensor<1x4x4x8xf32>, %wide: tensor<1x2x2x200xf32>, %real: tensor<1x8xf32>) -> (tensor<1x4x4x1xf32>, tensor<1x4x4x1xf32>, tensor<1x4x4x1xf32>, tensor<1x2x2x1xf32>, tensor<1x1xf32>) {
    %x_fix = nn.fix %x {fix_point = 4} : tensor<1x4x4x8xf32> loc("x_fix")
    %plain = nn.argmax %x_fix {axis = 3} : (tensor<1x4x4x8xf32>) -> tensor<1x4x4x1xf32> loc("plain")
    %fixed = nn.argmax %x_fix {axis = 3} : (tensor<1x4x4x8xf32>) -> tensor<1x4x4x1xf32> loc("fixed")
    %fixed_fix = nn.fix %fixed {fix_point = 0} : tensor<1x4x4x1xf32> loc("fixed_fix")
    %finer = nn.argmax %x_fix {axis = 3} : (tensor<1x4x4x8xf32>) -> tensor<1x4x4x1xf32> loc("finer")
    %finer_fix = nn.fix %finer {fix_point = 4} : tensor<1x4x4x1xf32> loc("finer_fix")
    %wide_fix = nn.fix %wide {fix_point = 4} : tensor<1x2x2x200xf32> loc("wide_fix")
    %large = nn.argmax %wide_fix {axis = 3} : (tensor<1x2x2x200xf32>) -> tensor<1x2x2x1xf32> loc("large")
    %host = nn.argmax %real {axis = 1} : (tensor<1x8xf32>) -> tensor<1x1xf32> loc("host")
    func.return %plain, %fixed_fix, %finer_fix, %large, %host : tensor<1x4x4x1xf32>, tensor<1x4x4x1xf32>, tensor<1x4x4x1xf32>, tensor<1x2x2x1xf32>, tensor<1x1xf32>
  }
}
