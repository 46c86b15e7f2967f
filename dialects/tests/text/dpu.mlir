module {
  dpu.subgraph @subgraph_conv(%x: tensor<1x4x4x8xi8, #int8.fix<5>>) -> tensor<1x4x4x8xi8, #int8.fix<5>> attributes {target = "DPUCZDX8G_ISA1_B512", region_sizes = [4096, 0, 128, 128]} {
    %up = dpu.upload %x {region = 2, address = 0, strides = [128, 32, 8, 1]} : tensor<1x4x4x8xi8, #int8.fix<5>>
    %out = dpu.superlayer %up {placements = [{region = 3, address = 0, strides = [128, 32, 8, 1]}]} {
      %pool = int8.max_pool %up {kernel = [1, 1]} : tensor<1x4x4x8xi8, #int8.fix<5>>
      dpu.yield %pool : tensor<1x4x4x8xi8, #int8.fix<5>>
    } : tensor<1x4x4x8xi8, #int8.fix<5>>
    %down = dpu.download %out : tensor<1x4x4x8xi8, #int8.fix<5>>
    dpu.return %down : tensor<1x4x4x8xi8, #int8.fix<5>>
  }
  dpu.program @subgraph_conv_code {target = "DPUCZDX8G_ISA1_B512"} {
    dpu.load {wait = ["load"], notify = ["load", "conv"], bank_addr = 3, length = 4, channel = 8, reg_id = 2}
    dpu.end {wait = ["save"], notify = ["save"]}
  }
}
