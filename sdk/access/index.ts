// Who may call what: for operators, not for a page.
export {
  type Access,
  type ContractAccess,
  type FunctionAccess,
  type Role,
  type RoleMember,
  readAccess,
} from "./readAccess.js";
export { accessJson, accessLines } from "./table.js";
export { CallersIncompleteError, callersOf, functionsOf, selectorsOf } from "../callers.js";
