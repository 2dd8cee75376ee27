// Style sheets are files that the build hands on.
declare module "*.css";
