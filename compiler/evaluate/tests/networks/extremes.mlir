// Maxima, minima and sums of several maps, which become one operation each.
module @extremes {
  func.func @main(%x: tensor<1x3x4x5xf32>, %y: tensor<1x3x4x5xf32>, %z: tensor<1x3x4x5xf32>) -> (tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x3x4x5xf32>
    %y_fix = nn.fix %y {fix_point = 5} : tensor<1x3x4x5xf32>
    %z_fix = nn.fix %z {fix_point = 5} : tensor<1x3x4x5xf32>
    %p0 = nn.max %x_fix, %y_fix : tensor<1x3x4x5xf32>
    %q0 = nn.max %z_fix, %p0 : tensor<1x3x4x5xf32>
    %q0_fix = nn.fix %q0 {fix_point = 5} : tensor<1x3x4x5xf32>
    %p1 = nn.min %x_fix, %y_fix : tensor<1x3x4x5xf32>
    %q1 = nn.min %z_fix, %p1 : tensor<1x3x4x5xf32>
    %q1_fix = nn.fix %q1 {fix_point = 5} : tensor<1x3x4x5xf32>
    %p2 = nn.add %x_fix, %y_fix : tensor<1x3x4x5xf32>
    %q2 = nn.add %z_fix, %p2 : tensor<1x3x4x5xf32>
    %q2_fix = nn.fix %q2 {fix_point = 4} : tensor<1x3x4x5xf32>
    %twice = nn.add %x_fix, %y_fix : tensor<1x3x4x5xf32>
    %more = nn.add %twice, %twice : tensor<1x3x4x5xf32>
    %clipped = nn.relu %more : tensor<1x3x4x5xf32>
    %clipped_fix = nn.fix %clipped {fix_point = 3} : tensor<1x3x4x5xf32>
    func.return %q0_fix, %q1_fix, %q2_fix, %clipped_fix : tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>, tensor<1x3x4x5xf32>
  }
}
