/** Twin of contracts/types/Permissions.sol: what an account's owner may let an operator do with it, one bit each. */

/** Trade. */
export const PERMISSION_TRADE = 1n;
/** Withdraw, to any address. */
export const PERMISSION_WITHDRAW = 2n;
/** Transfer to any account. */
export const PERMISSION_TRANSFER = 4n;
/** Take over what is liquidated, and buy collateral from the pool. */
export const PERMISSION_TAKE = 8n;
/** Change its mode. */
export const PERMISSION_SET_MODE = 16n;

export const ALL_PERMISSIONS = 31n;
