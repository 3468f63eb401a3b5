// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title A contract wallet for tests: its signer makes it call, and signs for it (ERC-1271)
contract MockWallet is IERC1271 {
    address public signer;

    error NotSigner(address caller);

    constructor(address signer_) {
        signer = signer_;
    }

    receive() external payable {}

    /// @notice Hands the wallet over: what the signer before has signed is worth nothing from now on.
    function setSigner(address signer_) external {
        require(msg.sender == signer, NotSigner(msg.sender));
        signer = signer_;
    }

    function execute(address target, uint256 value, bytes calldata data) external payable returns (bytes memory) {
        require(msg.sender == signer, NotSigner(msg.sender));
        return Address.functionCallWithValue(target, data, value);
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (address recovered, ECDSA.RecoverError fault, ) = ECDSA.tryRecoverCalldata(hash, signature);
        bool valid = fault == ECDSA.RecoverError.NoError && recovered == signer;
        return valid ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
