module{func.func @f(){%0="a.b"():()->i32 %1,%2="c.d"(%0,%0):(i32,i32)->(i32,i32) foo.barrier "e.f"():()->() func.return}module @inner{}}
%a = foo.bar
%b, %c =
  foo.two
foo.bare
foo.region {
  ^bb0(%x: i8):
  foo.yield %x
    : i8
} {
} : i8
foo.regions ({ foo.end }, {}) : () -> ()
foo.attributes {foo.a, b} {
  module @m attributes {a} {}
}
foo.function @f(%x: i8) -> i8 attributes {a} {}
foo.dictionary {}
foo.literal
  @s,
  %a,
  "text"
foo.last %a { foo.a, // comment
 b } : i8
