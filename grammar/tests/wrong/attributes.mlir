// Attribute dictionaries and literals.
%0 = nn.pool %a {strides: [1, 1], pads = [0 0 0, 0]} : tensor<1xf32>
%1 = nn.pool %a {strides = [1, 1] pads = [0, 0]} : tensor<1xf32>
%2 = nn.pool %a {mode = averge} : tensor<1xf32>
%3 = nn.pool %a {mode = tru} : tensor<1xf32>
%4 = nn.pool %a {count = 1e5, scale = 0x} : tensor<1xf32>
%5 = nn.pool %a {name = "bad \q escape", bytes = "\FF"} : tensor<1xf32>
%6 = nn.pool %a {strides = } : tensor<1xf32>
%7 = nn.pool %a {strides = [1, 1,]} : tensor<1xf32>
%8 = nn.pool %a {flag = true : i1} : tensor<1xf32>
%9 = nn.pool %a {values = dense<[1, 2]>} : tensor<1xf32>
%10 = nn.pool %a {values = array<1, 2>, more = array<i64: 1, x>} : tensor<1xf32>
%11 = nn.pool %a {= 3} : tensor<1xf32>
%12 = nn.constant dense<1.0>
