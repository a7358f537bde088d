;; Arithmetic on float32 vectors, four numbers at a time; arithmetic.ts says what for, and has the same in JavaScript.
;; Addresses are in bytes; $bytes is the vectors' length in bytes, a multiple of 16.
;; Sums are in float64: of the numbers 4i and 4i + 1 in $low, of 4i + 2 and 4i + 3 in $high. Both bodies add them up in place, since V8 inlines no calls.
(module
  (import "js" "memory" (memory 1))

  ;; Σ values²
  (func (export "sumOfSquares") (param $values i32) (param $bytes i32) (result f64)
    (local $at i32) (local $four v128) (local $two v128) (local $low v128) (local $high v128)
    (loop $next
      (if (i32.lt_u (local.get $at) (local.get $bytes)) (then
        (local.set $four (v128.load (i32.add (local.get $values) (local.get $at))))
        (local.set $two (f64x2.promote_low_f32x4 (local.get $four)))
        (local.set $low (f64x2.add (local.get $low) (f64x2.mul (local.get $two) (local.get $two))))
        (local.set $two (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $four) (local.get $four))))
        (local.set $high (f64x2.add (local.get $high) (f64x2.mul (local.get $two) (local.get $two))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $next))))
    (f64.add
      (f64.add (f64x2.extract_lane 0 (local.get $low)) (f64x2.extract_lane 1 (local.get $low)))
      (f64.add (f64x2.extract_lane 0 (local.get $high)) (f64x2.extract_lane 1 (local.get $high)))))

  ;; into ← one + factor · other, each step rounded to float32; Σ into²
  (func (export "combine") (param $one i32) (param $factor f32) (param $other i32) (param $into i32) (param $bytes i32) (result f64)
    (local $at i32) (local $four v128) (local $two v128) (local $low v128) (local $high v128) (local $factors v128)
    (local.set $factors (f32x4.splat (local.get $factor)))
    (loop $next
      (if (i32.lt_u (local.get $at) (local.get $bytes)) (then
        (local.set $four (f32x4.add
          (v128.load (i32.add (local.get $one) (local.get $at)))
          (f32x4.mul (local.get $factors) (v128.load (i32.add (local.get $other) (local.get $at))))))
        (v128.store (i32.add (local.get $into) (local.get $at)) (local.get $four))
        (local.set $two (f64x2.promote_low_f32x4 (local.get $four)))
        (local.set $low (f64x2.add (local.get $low) (f64x2.mul (local.get $two) (local.get $two))))
        (local.set $two (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $four) (local.get $four))))
        (local.set $high (f64x2.add (local.get $high) (f64x2.mul (local.get $two) (local.get $two))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $next))))
    (f64.add
      (f64.add (f64x2.extract_lane 0 (local.get $low)) (f64x2.extract_lane 1 (local.get $low)))
      (f64.add (f64x2.extract_lane 0 (local.get $high)) (f64x2.extract_lane 1 (local.get $high))))))
