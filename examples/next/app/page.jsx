export default function Page() {
  return <p>GET /generate?prompt=Once streams what the model writes.</p>;
}
