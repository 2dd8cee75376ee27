// Code of the Microsoft x64 convention, called where the system has the other one, so that it can be tested there.

/** A function of `params` 64-bit integers for System V that hands them to the Windows function at `target`, and returns what that returns. */
export function windowsThunk(params: number, target: number): Uint8Array {
  const onStack = Math.max(0, params - 4);
  const frame = Math.ceil((32 + 8 * onStack) / 16) * 16;
  const address = new Uint8Array(BigUint64Array.of(BigInt(target)).buffer);
  const hex = [
    `55 4889e5 4881ec${littleEndian(frame)}`, // push rbp; mov rbp, rsp; sub rsp, frame
    ...Array.from({ length: Math.max(0, params - 6) }, (_, i) => {
      const [from, to] = [16 + 8 * i, 32 + 8 * (i + 2)];
      return `488b85${littleEndian(from)} 48898424${littleEndian(to)}`; // mov rax, [rbp + from]; mov [rsp + to], rax
    }),
    params > 5 ? "4c894c2428" : "", // mov [rsp + 40], r9
    params > 4 ? "4c89442420" : "", // mov [rsp + 32], r8
    "4989c9 4989d0 4889f2 4889f9", // mov r9, rcx; mov r8, rdx; mov rdx, rsi; mov rcx, rdi
    `48b8${Buffer.from(address).toString("hex")} ffd0 c9 c3`, // mov rax, target; call rax; leave; ret
  ];
  return Uint8Array.from(Buffer.from(hex.join("").replaceAll(" ", ""), "hex"));
}

function littleEndian(value: number): string {
  return Buffer.from(Int32Array.of(value).buffer).toString("hex");
}
