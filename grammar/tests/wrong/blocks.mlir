// Blocks, aliases and locations.
^top:
#alias = 
!type = 
#good = 1 : i32
"d.op"() ({
^bb0(%a: i8, %b)
  "d.br"()[^bb1 ^bb0] : () -> ()
^bb1(c: i8):
  #inner = 3
  "d.end"() : () -> () loc("file":1)
  "d.end"() : () -> () loc("file":1:99999999999)
  "d.end"() : () -> () loc(somewhere)
  "d.end"() : () -> () loc
}) : () -> ()
"d.two"() ({
}, {
} : () -> ()
"d.three"() : () -> ()
{-#
  dialect_resources: {}
#-}
