// Operation names and unknown characters.
%0 = relu %a : tensor<1xf32>
%1 = "relu"(%a) : (i8) -> i8
%2 = 
%3 = nn.relu %a : tensor<1xf32>;
%4 = nn.relu 'a' : tensor<1xf32>
%größe = nn.relu %a : tensor<1xf32>
@symbol
[1, 2]
42
nn.relu %a : tensor<1xf32> extra
%5 = %6
