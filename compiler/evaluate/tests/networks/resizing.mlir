// Up- and down-sampling by whole factors in every mode; other sizes stay.
// left: nn.resize
module @resizing {
  func.func @main(%x: tensor<1x12x6x2xf32>, %s: tensor<1x3x2x2xf32>) -> (tensor<1x6x4x2xf32>, tensor<1x12x4x2xf32>, tensor<1x6x4x2xf32>, tensor<1x6x4x2xf32>, tensor<1x12x8x2xf32>, tensor<1x6x8x2xf32>, tensor<1x4x3x2xf32>, tensor<1x6x2x2xf32>, tensor<1x6x3x2xf32>, tensor<1x6x3x2xf32>, tensor<1x4x2x2xf32>, tensor<1x3x1x2xf32>, tensor<1x5x6x2xf32>, tensor<1x6x3x2xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x12x6x2xf32>
    %s_fix = nn.fix %s {fix_point = 5} : tensor<1x3x2x2xf32>
    %u0 = nn.resize %s_fix {mode = "nearest"} : (tensor<1x3x2x2xf32>) -> tensor<1x6x4x2xf32>
    %u0_fix = nn.fix %u0 {fix_point = 5} : tensor<1x6x4x2xf32>
    %u1 = nn.resize %s_fix {mode = "nearest", coordinates = "half_pixel", rounding = "round_prefer_ceil"} : (tensor<1x3x2x2xf32>) -> tensor<1x12x4x2xf32>
    %u1_fix = nn.fix %u1 {fix_point = 4} : tensor<1x12x4x2xf32>
    %u2 = nn.resize %s_fix {mode = "nearest", coordinates = "align_corners", rounding = "round_prefer_ceil"} : (tensor<1x3x2x2xf32>) -> tensor<1x6x4x2xf32>
    %u2_fix = nn.fix %u2 {fix_point = 5} : tensor<1x6x4x2xf32>
    %u3 = nn.resize %s_fix {mode = "bilinear"} : (tensor<1x3x2x2xf32>) -> tensor<1x6x4x2xf32>
    %u3_fix = nn.fix %u3 {fix_point = 5} : tensor<1x6x4x2xf32>
    %u4 = nn.resize %s_fix {mode = "bilinear", coordinates = "half_pixel"} : (tensor<1x3x2x2xf32>) -> tensor<1x12x8x2xf32>
    %u4_fix = nn.fix %u4 {fix_point = 6} : tensor<1x12x8x2xf32>
    %u5 = nn.resize %s_fix {mode = "bilinear", coordinates = "align_corners"} : (tensor<1x3x2x2xf32>) -> tensor<1x6x8x2xf32>
    %u5_fix = nn.fix %u5 {fix_point = 5} : tensor<1x6x8x2xf32>
    %d0 = nn.resize %x_fix {mode = "nearest"} : (tensor<1x12x6x2xf32>) -> tensor<1x4x3x2xf32>
    %d0_fix = nn.fix %d0 {fix_point = 5} : tensor<1x4x3x2xf32>
    %d1 = nn.resize %x_fix {mode = "nearest", coordinates = "half_pixel", rounding = "round_prefer_ceil"} : (tensor<1x12x6x2xf32>) -> tensor<1x6x2x2xf32>
    %d1_fix = nn.fix %d1 {fix_point = 5} : tensor<1x6x2x2xf32>
    %d2 = nn.resize %x_fix {mode = "bilinear"} : (tensor<1x12x6x2xf32>) -> tensor<1x6x3x2xf32>
    %d2_fix = nn.fix %d2 {fix_point = 5} : tensor<1x6x3x2xf32>
    %d3 = nn.resize %x_fix {mode = "bilinear", coordinates = "half_pixel"} : (tensor<1x12x6x2xf32>) -> tensor<1x6x3x2xf32>
    %d3_fix = nn.fix %d3 {fix_point = 5} : tensor<1x6x3x2xf32>
    %d4 = nn.resize %x_fix {mode = "bilinear", coordinates = "half_pixel"} : (tensor<1x12x6x2xf32>) -> tensor<1x4x2x2xf32>
    %d4_fix = nn.fix %d4 {fix_point = 6} : tensor<1x4x2x2xf32>
    %d5 = nn.resize %x_fix {mode = "bilinear", coordinates = "half_pixel"} : (tensor<1x12x6x2xf32>) -> tensor<1x3x1x2xf32>
    %d5_fix = nn.fix %d5 {fix_point = 5} : tensor<1x3x1x2xf32>
    %e0 = nn.resize %x_fix {mode = "nearest"} : (tensor<1x12x6x2xf32>) -> tensor<1x5x6x2xf32>
    %e0_fix = nn.fix %e0 {fix_point = 5} : tensor<1x5x6x2xf32>
    %e1 = nn.resize %x_fix {mode = "nearest", coordinates = "align_corners", rounding = "round_prefer_ceil"} : (tensor<1x12x6x2xf32>) -> tensor<1x6x3x2xf32>
    %e1_fix = nn.fix %e1 {fix_point = 5} : tensor<1x6x3x2xf32>
    func.return %u0_fix, %u1_fix, %u2_fix, %u3_fix, %u4_fix, %u5_fix, %d0_fix, %d1_fix, %d2_fix, %d3_fix, %d4_fix, %d5_fix, %e0_fix, %e1_fix : tensor<1x6x4x2xf32>, tensor<1x12x4x2xf32>, tensor<1x6x4x2xf32>, tensor<1x6x4x2xf32>, tensor<1x12x8x2xf32>, tensor<1x6x8x2xf32>, tensor<1x4x3x2xf32>, tensor<1x6x2x2xf32>, tensor<1x6x3x2xf32>, tensor<1x6x3x2xf32>, tensor<1x4x2x2xf32>, tensor<1x3x1x2xf32>, tensor<1x5x6x2xf32>, tensor<1x6x3x2xf32>
  }
}
