;; One pass over some accounts of as many rows each, which lie one after the other in columns. It tells which may lack margin.
;;
;; The first memory page:
;;     0  of each key four f64: what one of a row is worth, what it requires, zero, what its square requires
;;  8192  where sums start: f64 worth, f64 requirement
;;  8208  f64 debt margin: requirement of one of net debt
(module
  (import "columns" "memory" (memory 1))
  (func (export "sweep")
    (param $amount i32)   ;; of the first row: f64 each, the rows of an account beside each other
    (param $key i32)      ;; of the first row: u8 each, in the same order
    (param $account i32)  ;; u32 each: the account's number
    (param $end i32)      ;; of the accounts' numbers
    (param $rows i32)     ;; of each account
    (param $found i32)    ;; where the numbers of accounts found go, u32 each
    (result i32)          ;; the end of them
    (local $lastKey i32) (local $coefficients i32) (local $row v128) (local $sums v128) (local $worth f64)
    (block $done
      (br_if $done (i32.ge_u (local.get $account) (local.get $end)))
      (loop $accounts
        (local.set $sums (v128.load offset=8192 (i32.const 0)))
        (local.set $lastKey (i32.add (local.get $key) (local.get $rows)))
        (block $summed
          (br_if $summed (i32.eqz (local.get $rows)))
          (loop $each
            ;; sums += row * ((worth, requirement) + row * (0, of its square))
            (local.set $row (v128.load64_splat (local.get $amount)))
            (local.set $coefficients (i32.shl (i32.load8_u (local.get $key)) (i32.const 5)))
            (local.set $sums
              (f64x2.add
                (local.get $sums)
                (f64x2.mul
                  (local.get $row)
                  (f64x2.add
                    (v128.load (local.get $coefficients))
                    (f64x2.mul (local.get $row) (v128.load offset=16 (local.get $coefficients)))))))
            (local.set $amount (i32.add (local.get $amount) (i32.const 8)))
            (local.set $key (i32.add (local.get $key) (i32.const 1)))
            (br_if $each (i32.lt_u (local.get $key) (local.get $lastKey)))))
        ;; worth - requirement - debt margin * max(0, -worth): unless that is at least zero, the account is found.
        (local.set $worth (f64x2.extract_lane 0 (local.get $sums)))
        (if
          (i32.eqz
            (f64.ge
              (f64.add
                (f64.sub (local.get $worth) (f64x2.extract_lane 1 (local.get $sums)))
                (f64.mul (f64.load offset=8208 (i32.const 0)) (f64.min (local.get $worth) (f64.const 0))))
              (f64.const 0)))
          (then
            (i32.store (local.get $found) (i32.load (local.get $account)))
            (local.set $found (i32.add (local.get $found) (i32.const 4)))))
        (local.set $account (i32.add (local.get $account) (i32.const 4)))
        (br_if $accounts (i32.lt_u (local.get $account) (local.get $end)))))
    (local.get $found)))
