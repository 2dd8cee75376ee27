// cria stays outside of the server's bundle, as it is installed: machine code and worker files stay where they are.
export default { serverExternalPackages: ["cria"] };
