export type { Report, Section, Table, Verdict } from "./report.ts";
export { reportHtml } from "./report-html.ts";
export { studies } from "./studies.ts";
export type { NextStep, Study, StudyContext, StudyText } from "./study.ts";
