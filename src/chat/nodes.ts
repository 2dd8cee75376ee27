// The tree that @huggingface/jinja's parser makes, as far as it is used here. The package types its nodes by a base class with a name alone.
/** An expression of a template, by the type that the parser gives it. */
export type Expression =
  | { readonly type: "IntegerLiteral" | "FloatLiteral"; readonly value: number }
  | { readonly type: "StringLiteral"; readonly value: string }
  | { readonly type: "ArrayLiteral" | "TupleLiteral"; readonly value: readonly Expression[] }
  | { readonly type: "ObjectLiteral"; readonly value: ReadonlyMap<Expression, Expression> }
  | Identifier
  | { readonly type: "MemberExpression"; readonly object: Expression; readonly property: Expression | Slice; readonly computed: boolean }
  | Call
  | { readonly type: "UnaryExpression"; readonly operator: Operator; readonly argument: Expression }
  | { readonly type: "BinaryExpression"; readonly operator: Operator; readonly left: Expression; readonly right: Expression }
  | { readonly type: "FilterExpression"; readonly operand: Expression; readonly filter: Identifier | Call }
  | { readonly type: "TestExpression"; readonly operand: Expression; readonly negate: boolean; readonly test: Identifier }
  | { readonly type: "SelectExpression"; readonly lhs: Expression; readonly test: Expression }
  | { readonly type: "Ternary"; readonly condition: Expression; readonly trueExpr: Expression; readonly falseExpr: Expression };

interface Operator {
  readonly value: string;
}

/** A name. */
export interface Identifier {
  readonly type: "Identifier";
  readonly value: string;
}

/** A call of a function, method or macro. */
export interface Call {
  readonly type: "CallExpression";
  readonly callee: Expression;
  readonly args: readonly Argument[];
}

/** A slice of a list or text, `[start:stop:step]`. */
export interface Slice {
  readonly type: "SliceExpression";
  readonly start?: Expression;
  readonly stop?: Expression;
  readonly step?: Expression;
}

/** An argument given by its name. */
export interface KeywordArgument {
  readonly type: "KeywordArgumentExpression";
  readonly key: Identifier;
  readonly value: Expression;
}

interface Spread<Type extends string> {
  readonly type: Type;
  readonly argument: Expression;
}

/** An argument of a call: a value, a named one, or a list or dict that is spread. */
export type Argument = Expression | KeywordArgument | Spread<"SpreadExpression"> | Spread<"KeywordSpreadExpression">;

/** A macro's, with its default where it has one. */
export type Parameter = Identifier | KeywordArgument;

/** A statement of a template, by the type that the parser gives it; an expression alone writes its value. */
export type Statement =
  | Expression
  | { readonly type: "If"; readonly test: Expression; readonly body: readonly Statement[]; readonly alternate: readonly Statement[] }
  | {
      readonly type: "For";
      readonly loopvar: Expression;
      readonly iterable: Expression;
      readonly body: readonly Statement[];
      readonly defaultBlock: readonly Statement[];
    }
  | { readonly type: "Break" | "Continue" | "Comment" }
  | { readonly type: "Set"; readonly assignee: Expression; readonly value: Expression | null; readonly body: readonly Statement[] }
  | { readonly type: "Macro"; readonly name: Identifier; readonly args: readonly Parameter[]; readonly body: readonly Statement[] }
  | {
      readonly type: "CallStatement";
      readonly call: Call;
      readonly callerArgs: readonly Parameter[] | null;
      readonly body: readonly Statement[];
    }
  | { readonly type: "FilterStatement"; readonly filter: Identifier | Call; readonly body: readonly Statement[] };
