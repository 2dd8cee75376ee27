// x86-64 instructions as rows: operands as AsmJit's database writes them, then the bytes in the notation of the Intel SDM, volume 2.
// `=` is written, `+` is read and written; `v` is a vector of the instruction's length, `h` and `q` one of half and a quarter of it (at
// least 128 bits), `x` one of 128 bits; `b32` one element in every lane.

/** A name is the mnemonic, with a suffix after the dot where one mnemonic has several rows. */
export const instructions = {
  // Integers: addresses and counters, 64 bits.
  mov: "=r64, r64/m64 | REX.W 8B /r",
  "mov.store": "m64, r64 | REX.W 89 /r",
  "mov.store32": "m32, r32 | 89 /r",
  "mov.imm32": "=r64, i32 | REX.W C7 /0 id", // sign-extended
  "mov.zero32": "=r32, i32 | B8+r id", // zero-extended
  movabs: "=r64, i64 | REX.W B8+r io",
  movsxd: "=r64, m32 | REX.W 63 /r",
  "movzx.16": "=r32, m16 | 0F B7 /r",
  "movzx.8": "=r32, m8 | 0F B6 /r",
  "movsx.8": "=r64, m8 | REX.W 0F BE /r",
  lea: "=r64, m | REX.W 8D /r",
  add: "+r64, r64/m64 | REX.W 03 /r",
  "add.imm8": "+r64, i8 | REX.W 83 /0 ib",
  "add.imm32": "+r64, i32 | REX.W 81 /0 id",
  sub: "+r64, r64/m64 | REX.W 2B /r",
  "sub.imm32": "+r64, i32 | REX.W 81 /5 id",
  "and.imm8": "+r64, i8 | REX.W 83 /4 ib",
  "and.imm32": "+r64, i32 | REX.W 81 /4 id",
  neg: "+r64 | REX.W F7 /3",
  imul: "+r64, r64/m64 | REX.W 0F AF /r",
  "imul.imm32": "=r64, r64/m64, i32 | REX.W 69 /r id",
  "shl.imm": "+r64, i8 | REX.W C1 /4 ib",
  "shr.imm": "+r64, i8 | REX.W C1 /5 ib",
  cmp: "r64, r64/m64 | REX.W 3B /r",
  "cmp.imm8": "r64, i8 | REX.W 83 /7 ib",
  "cmp.imm32": "r64, i32 | REX.W 81 /7 id",
  cmovl: "+r64, r64/m64 | REX.W 0F 4C /r",
  cmovg: "+r64, r64/m64 | REX.W 0F 4F /r",
  jmp: "rel32 | E9 cd",
  jb: "rel32 | 0F 82 cd",
  jae: "rel32 | 0F 83 cd",
  je: "rel32 | 0F 84 cd",
  jne: "rel32 | 0F 85 cd",
  jl: "rel32 | 0F 8C cd",
  jge: "rel32 | 0F 8D cd",
  jle: "rel32 | 0F 8E cd",
  jg: "rel32 | 0F 8F cd",
  push: "r64 | 50+r",
  pop: "=r64 | 58+r",
  ret: "| C3",
  prefetcht0: "m8 | 0F 18 /1",

  // Moves of vectors.
  vmovups: "=v, v/m | VEX.NP.0F.WIG 10 /r | EVEX.NP.0F.W0 10 /r FVM",
  "vmovups.store": "m, v | VEX.NP.0F.WIG 11 /r | EVEX.NP.0F.W0 11 /r FVM",
  vmovss: "=x, m32 | VEX.LIG.F3.0F.WIG 10 /r | EVEX.LIG.F3.0F.W0 10 /r T1S",
  "vmovss.store": "m32, x | VEX.LIG.F3.0F.WIG 11 /r | EVEX.LIG.F3.0F.W0 11 /r T1S",
  vmovd: "=x, r32 | VEX.128.66.0F.W0 6E /r",
  vmaskmovps: "=v, v, m | VEX.66.0F38.W0 2C /r",
  "vmaskmovps.store": "m, v, v | VEX.66.0F38.W0 2E /r",
  vbroadcastss: "=v, x/m32 | VEX.66.0F38.W0 18 /r | EVEX.66.0F38.W0 18 /r T1S",
  vpbroadcastd: "=v, r32 | EVEX.66.0F38.W0 7C /r",

  // Moves of elements narrower than a lane.
  vpmovzxwd: "=v, h/m | VEX.66.0F38.WIG 33 /r | EVEX.66.0F38.WIG 33 /r HVM",
  vpmovsxbd: "=v, q/m | VEX.66.0F38.WIG 21 /r | EVEX.66.0F38.WIG 21 /r QVM",
  vpmovzxbd: "=v, q/m | VEX.66.0F38.WIG 31 /r | EVEX.66.0F38.WIG 31 /r QVM",
  vpmovdw: "=h/m, v | EVEX.F3.0F38.W0 33 /r HVM",
  vpmovdb: "=q/m, v | EVEX.F3.0F38.W0 31 /r QVM",
  vcvtph2ps: "=v, h/m | VEX.66.0F38.W0 13 /r | EVEX.66.0F38.W0 13 /r HVM",
  vcvtps2ph: "=h/m, v, i8 | VEX.66.0F3A.W0 1D /r ib | EVEX.66.0F3A.W0 1D /r ib HVM",
  vcvtneps2bf16: "=h, v | EVEX.F3.0F38.W0 72 /r",
  vcvtne2ps2bf16: "=v, v, v/m/b32 | EVEX.F2.0F38.W0 72 /r FV", // lower half of c, upper half of b
  "vmovdqu16.store": "m, v | EVEX.F2.0F.W1 7F /r FVM",
  vmovq: "=x, m64 | VEX.128.F3.0F.WIG 7E /r",
  "vmovq.store": "m64, x | VEX.128.66.0F.WIG D6 /r",
  vpinsrb: "=x, x, m8, i8 | VEX.128.66.0F3A.W0 20 /r ib",
  vpinsrw: "=x, x, m16, i8 | VEX.128.66.0F.W0 C4 /r ib",
  vpinsrd: "=x, x, m32, i8 | VEX.128.66.0F3A.W0 22 /r ib",
  vpextrb: "m8, x, i8 | VEX.128.66.0F3A.W0 14 /r ib",
  vpextrw: "m16, x, i8 | VEX.128.66.0F3A.W0 15 /r ib",
  vpextrd: "m32, x, i8 | VEX.128.66.0F3A.W0 16 /r ib",
  vinserti128: "=v, v, h/m, i8 | VEX.256.66.0F3A.W0 38 /r ib",
  vinserti32x4: "=v, v, q/m, i8 | EVEX.66.0F3A.W0 38 /r ib T4", // 256 bits or more
  vpbroadcastb: "=v, m8 | VEX.66.0F38.W0 78 /r | EVEX.66.0F38.W0 78 /r T1S8",
  vpbroadcastw: "=v, m16 | VEX.66.0F38.W0 79 /r | EVEX.66.0F38.W0 79 /r T1S16",
  "vpbroadcastb.merge": "+v, m8 | EVEX.66.0F38.W0 78 /r T1S8", // lanes outside the mask stay
  "vpbroadcastw.merge": "+v, m16 | EVEX.66.0F38.W0 79 /r T1S16",

  // Float lanes.
  vaddps: "=v, v, v/m/b32 | VEX.NP.0F.WIG 58 /r | EVEX.NP.0F.W0 58 /r FV",
  vmulps: "=v, v, v/m/b32 | VEX.NP.0F.WIG 59 /r | EVEX.NP.0F.W0 59 /r FV",
  vsubps: "=v, v, v/m/b32 | VEX.NP.0F.WIG 5C /r | EVEX.NP.0F.W0 5C /r FV",
  vminps: "=v, v, v/m/b32 | VEX.NP.0F.WIG 5D /r | EVEX.NP.0F.W0 5D /r FV", // b < c ? b : c
  vdivps: "=v, v, v/m/b32 | VEX.NP.0F.WIG 5E /r | EVEX.NP.0F.W0 5E /r FV",
  vmaxps: "=v, v, v/m/b32 | VEX.NP.0F.WIG 5F /r | EVEX.NP.0F.W0 5F /r FV", // b > c ? b : c
  vsqrtps: "=v, v/m/b32 | VEX.NP.0F.WIG 51 /r | EVEX.NP.0F.W0 51 /r FV",
  vroundps: "=v, v/m, i8 | VEX.66.0F3A.WIG 08 /r ib",
  vrndscaleps: "=v, v/m/b32, i8 | EVEX.66.0F3A.W0 08 /r ib FV",
  vfmadd132ps: "+v, v, v/m/b32 | VEX.66.0F38.W0 98 /r | EVEX.66.0F38.W0 98 /r FV", // a = a * c + b, one rounding
  vfmadd213ps: "+v, v, v/m/b32 | VEX.66.0F38.W0 A8 /r | EVEX.66.0F38.W0 A8 /r FV", // a = b * a + c
  vfmadd231ps: "+v, v, v/m/b32 | VEX.66.0F38.W0 B8 /r | EVEX.66.0F38.W0 B8 /r FV", // a = b * c + a
  vcvtdq2ps: "=v, v/m/b32 | VEX.NP.0F.WIG 5B /r | EVEX.NP.0F.W0 5B /r FV",
  vcvttps2dq: "=v, v/m/b32 | VEX.F3.0F.WIG 5B /r | EVEX.F3.0F.W0 5B /r FV",
  vdpbf16ps: "+v, v, v/m/b32 | EVEX.F3.0F38.W0 52 /r FV", // a = a + b * c over pairs of bf16
  vxorps: "=v, v, v/m | VEX.NP.0F.WIG 57 /r",

  // Integer lanes and bits.
  vpaddd: "=v, v, v/m/b32 | VEX.66.0F.WIG FE /r | EVEX.66.0F.W0 FE /r FV",
  vpaddw: "=v, v, v/m | VEX.66.0F.WIG FD /r | EVEX.66.0F.WIG FD /r FVM",
  vpsubd: "=v, v, v/m/b32 | VEX.66.0F.WIG FA /r | EVEX.66.0F.W0 FA /r FV",
  vpmulld: "=v, v, v/m/b32 | VEX.66.0F38.WIG 40 /r | EVEX.66.0F38.W0 40 /r FV",
  vpand: "=v, v, v/m | VEX.66.0F.WIG DB /r",
  vpor: "=v, v, v/m | VEX.66.0F.WIG EB /r",
  vpxor: "=v, v, v/m | VEX.66.0F.WIG EF /r",
  vpandd: "=v, v, v/m/b32 | EVEX.66.0F.W0 DB /r FV",
  vpord: "=v, v, v/m/b32 | EVEX.66.0F.W0 EB /r FV",
  vpxord: "=v, v, v/m/b32 | EVEX.66.0F.W0 EF /r FV",
  vpsrld: "=v, v, i8 | VEX.66.0F.WIG 72 /2 ib | EVEX.66.0F.W0 72 /2 ib FV",
  vpsrad: "=v, v, i8 | VEX.66.0F.WIG 72 /4 ib | EVEX.66.0F.W0 72 /4 ib FV",
  vpslld: "=v, v, i8 | VEX.66.0F.WIG 72 /6 ib | EVEX.66.0F.W0 72 /6 ib FV",
  vpsrlw: "=v, v, i8 | VEX.66.0F.WIG 71 /2 ib | EVEX.66.0F.WIG 71 /2 ib FVM",
  vpsraw: "=v, v, i8 | VEX.66.0F.WIG 71 /4 ib | EVEX.66.0F.WIG 71 /4 ib FVM",
  vpsllw: "=v, v, i8 | VEX.66.0F.WIG 71 /6 ib | EVEX.66.0F.WIG 71 /6 ib FVM",
  vpmaddwd: "=v, v, v/m | VEX.66.0F.WIG F5 /r | EVEX.66.0F.WIG F5 /r FVM", // a = b * c over pairs of int16
  vpmaddubsw: "=v, v, v/m | VEX.66.0F38.WIG 04 /r | EVEX.66.0F38.WIG 04 /r FVM", // a = b * c over pairs of bytes, of b unsigned, of c signed, to int16
  vpsignb: "=v, v, v/m | VEX.66.0F38.WIG 08 /r", // bytes of b, negated where those of c are negative, zero where they are
  vpabsb: "=v, v/m | VEX.66.0F38.WIG 1C /r",
  vpdpwssd: "+v, v, v/m/b32 | EVEX.66.0F38.W0 52 /r FV", // a = a + b * c over two signed numbers of 16 bits
  vpdpbusd: "+v, v, v/m/b32 | EVEX.66.0F38.W0 50 /r FV", // a = a + b * c over four bytes, of b unsigned, of c signed

  // Comparisons: all ones in a lane (AVX2), or one bit of a mask register (AVX-512); blends take the last vector where the mask holds.
  vcmpps: "=v, v, v/m, i8 | VEX.NP.0F.WIG C2 /r ib",
  vpcmpgtd: "=v, v, v/m | VEX.66.0F.WIG 66 /r",
  vpcmpeqd: "=v, v, v/m | VEX.66.0F.WIG 76 /r",
  "vcmpps.k": "=k, v, v/m/b32, i8 | EVEX.NP.0F.W0 C2 /r ib FV",
  "vpcmpgtd.k": "=k, v, v/m/b32 | EVEX.66.0F.W0 66 /r FV",
  "vpcmpeqd.k": "=k, v, v/m/b32 | EVEX.66.0F.W0 76 /r FV",
  vblendvps: "=v, v, v/m, v | VEX.66.0F3A.W0 4A /r /is4",
  vblendps: "=v, v, v/m, i8 | VEX.66.0F3A.WIG 0C /r ib",
  vblendmps: "=v, v, v/m/b32 | EVEX.66.0F38.W0 65 /r FV",
  kmovw: "=k, m16 | VEX.128.NP.0F.W0 90 /r",
  "kmovw.store": "m16, k | VEX.128.NP.0F.W0 91 /r",

  // Lanes changing places.
  vpshufb: "=v, v, v/m | VEX.66.0F38.WIG 00 /r | EVEX.66.0F38.WIG 00 /r FVM",
  vpermw: "=v, v, v/m | EVEX.66.0F38.W1 8D /r FVM", // words of c, numbered by b
  vpermilps: "=v, v/m/b32, i8 | VEX.66.0F3A.W0 04 /r ib | EVEX.66.0F3A.W0 04 /r ib FV",
  vshufps: "=v, v, v/m/b32, i8 | VEX.NP.0F.WIG C6 /r ib | EVEX.NP.0F.W0 C6 /r ib FV",
  vunpcklps: "=v, v, v/m/b32 | VEX.NP.0F.WIG 14 /r | EVEX.NP.0F.W0 14 /r FV",
  vunpckhps: "=v, v, v/m/b32 | VEX.NP.0F.WIG 15 /r | EVEX.NP.0F.W0 15 /r FV",
  vperm2f128: "=v, v, v/m, i8 | VEX.256.66.0F3A.W0 06 /r ib",
  vshuff32x4: "=v, v, v/m/b32, i8 | EVEX.66.0F3A.W0 23 /r ib FV", // 256 bits or more
  vzeroupper: "| VEX.128.NP.0F.WIG 77",
} as const;

/** The name of a row of {@link instructions}. */
export type InstructionName = keyof typeof instructions;

/** `v`, `h`, `q` and `x` are vector registers, `k` masks, the others general registers. */
export type RegisterForm = "r32" | "r64" | "v" | "h" | "q" | "x" | "k";

/** What may stand at one place of an instruction. */
export interface OperandForm {
  readonly access: "read" | "write" | "both";
  readonly register: RegisterForm | undefined;
  /** Bits read or written in memory; a whole vector when 0. */
  readonly memory: number | undefined;
  readonly broadcast: boolean;
  /** Bits of a constant. */
  readonly immediate: 8 | 32 | 64 | undefined;
  readonly label: boolean;
}

/** Tuple type: what the one-byte displacement counts in. Full vector, full, half or quarter vector in memory (no broadcast), four elements, one of 32, 16 or 8 bits. */
export type Tuple = "FV" | "FVM" | "HVM" | "QVM" | "T4" | "T1S" | "T1S16" | "T1S8";

/** One way to write an instruction in bytes. */
export interface Encoding {
  readonly scheme: "legacy" | "VEX" | "EVEX";
  readonly w: 0 | 1;
  /** Mandatory prefix: none, 66, F3, F2. */
  readonly pp: number;
  /** Opcode map: 0F, 0F38, 0F3A. */
  readonly map: number;
  /** All bytes of a legacy opcode, the one after the prefix otherwise. */
  readonly opcode: readonly number[];
  /** What ModRM.reg holds: a register, or three more bits of opcode; none without ModRM. */
  readonly modrm: "r" | number | undefined;
  /** The register lies in the opcode's low bits. */
  readonly plusRegister: boolean;
  /** Vector length that the row fixes, in bits. */
  readonly length: number | undefined;
  readonly lengthIgnored: boolean;
  readonly tuple: Tuple | undefined;
  readonly fields: Fields;
}

/** Which operand goes into which field of the instruction, by number. */
export interface Fields {
  /** The operand in ModRM.reg, or in the opcode where that holds a register. */
  readonly reg: number | undefined;
  readonly rm: number | undefined;
  readonly vvvv: number | undefined;
  /** The operand in the high half of a trailing byte. */
  readonly is4: number | undefined;
  /** Immediates and distances of jumps, at the end. */
  readonly constants: readonly number[];
}

/** An instruction, read from its line. */
export interface Row {
  readonly name: InstructionName;
  readonly mnemonic: string;
  readonly operands: readonly OperandForm[];
  readonly encodings: readonly Encoding[];
  /** Its first operand is where it may go on. */
  readonly isJump: boolean;
}

/** All instructions by name. */
export const rows = Object.fromEntries(
  Object.entries(instructions).map(([name, text]) => [name, parseRow(name as InstructionName, text)]),
) as Record<InstructionName, Row>;

function parseRow(name: InstructionName, text: string): Row {
  const [before, ...encodings] = text.split("|").map((part) => part.trim());
  const operands = before === "" ? [] : before!.split(", ").map(parseOperand);
  return {
    name,
    mnemonic: name.split(".")[0]!,
    operands,
    encodings: encodings.map((encoding) => parseEncoding(encoding, operands)),
    isJump: operands[0]?.label === true,
  };
}

/** "=v", "v/m/b32", "r64/m64", "i8", "rel32". */
function parseOperand(text: string): OperandForm {
  const access = text[0] === "=" ? "write" : text[0] === "+" ? "both" : "read";
  const parts = text.replace(/^[=+]/, "").split("/");
  const register = parts.find((part): part is RegisterForm => /^(r32|r64|v|h|q|x|k)$/.test(part));
  const memory = parts.find((part) => /^m\d*$/.test(part));
  const immediate = parts.find((part) => /^i\d+$/.test(part));
  return {
    access,
    register,
    memory: memory ? Number(memory.slice(1)) : undefined,
    immediate: immediate ? (Number(immediate.slice(1)) as 8 | 32 | 64) : undefined,
    broadcast: parts.includes("b32"),
    label: parts.includes("rel32"),
  };
}

/** "EVEX.66.0F38.W0 B8 /r FV", "REX.W 81 /0 id". */
function parseEncoding(text: string, operands: readonly OperandForm[]): Encoding {
  const tokens = text.split(" ");
  const prefix = /^(E?VEX|REX)\./.test(tokens[0]!) ? tokens.shift()!.split(".") : [];
  const opcode = tokens.filter((token) => /^[0-9A-F]{2}(\+r)?$/.test(token));
  const modrm = tokens.find((token) => /^\/[r0-7]$/.test(token))?.[1];
  const tuple = tokens.find((token): token is Tuple => /^(FV|[FHQ]VM|T4|T1S(8|16)?)$/.test(token));
  const length = prefix.find((part) => /^(128|256|512)$/.test(part));
  return {
    scheme: prefix[0] === "VEX" || prefix[0] === "EVEX" ? prefix[0] : "legacy",
    w: prefix.includes("W") || prefix.includes("W1") ? 1 : 0,
    pp: Math.max(
      0,
      ["NP", "66", "F3", "F2"].findIndex((part) => prefix.includes(part)),
    ),
    map:
      Math.max(
        0,
        ["0F", "0F38", "0F3A"].findIndex((part) => prefix.includes(part)),
      ) + 1,
    opcode: opcode.map((token) => Number.parseInt(token, 16)),
    modrm: modrm === undefined || modrm === "r" ? modrm : Number(modrm),
    plusRegister: opcode.some((token) => token.endsWith("+r")),
    length: length ? Number(length) : undefined,
    lengthIgnored: prefix.includes("LIG"),
    tuple,
    fields: placeOperands(operands, modrm, tokens.includes("/is4")),
  };
}

/** What may be memory is rm, or else the last register; vvvv is the second register of three, or of two beside an opcode digit. */
function placeOperands(operands: readonly OperandForm[], modrm: string | undefined, is4: boolean): Fields {
  const isConstant = ({ immediate, label }: OperandForm) => immediate !== undefined || label;
  const numbers = [...operands.keys()];
  const constants = numbers.filter((i) => isConstant(operands[i]!));
  const places = numbers.filter((i) => !isConstant(operands[i]!));
  const is4Place = is4 ? places.pop() : undefined;
  const fields = (reg: number | undefined, rm?: number, vvvv?: number): Fields => ({ reg, rm, vvvv, is4: is4Place, constants });
  if (modrm === undefined) return fields(places[0]);
  const rm = places.find((i) => operands[i]!.memory !== undefined) ?? places.at(-1)!;
  const others = places.filter((i) => i !== rm);
  if (rm === 0) others.reverse(); // a store: vvvv comes before reg
  return modrm === "r" ? fields(others[0], rm, others[1]) : fields(undefined, rm, others[0]); // a digit is in reg's place
}
