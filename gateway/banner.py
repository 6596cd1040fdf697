"""What is printed when the gateway is up: where it is, and what to type next."""

from __future__ import annotations

from gateway.service import Service


def banner(service: Service, *, port: int) -> str:
    """The lines to print; keys made just now are shown here and never again."""
    host = service.settings.host
    base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    made = service.keys.made
    key = made.get("default", "$POLYCULTURE_API_KEY")
    lines = [
        f"\nPolyculture serves on {base}",
        f"  models: {', '.join(model.id for model in service.registry) or 'none'}",
    ]
    if made:
        lines.append("\nKeys, shown this once (only their hashes are kept):")
        lines += [f"  {name:8} {secret}" for name, secret in made.items()]
    elif service.settings.api_key is None:
        lines.append(
            "\nKeys were shown at the first start; give others with POLYCULTURE_API_KEY and POLYCULTURE_ADMIN_KEY."
        )
    lines.append(
        f"""
Ask (the header x-polyculture-model tells who answered):
  curl -i {base}/v1/chat/completions -H "Authorization: Bearer {key}" \\
    -H "Content-Type: application/json" \\
    -d '{{"model": "auto", "messages": [{{"role": "user", "content": "What is 12 * 7 + 5?"}}]}}'

Or from Python, with any OpenAI client:
  from openai import OpenAI
  client = OpenAI(base_url="{base}/v1", api_key="{key}")
  answer = client.chat.completions.create(model="auto", messages=[{{"role": "user", "content": "Hello!"}}])

Then tell how good it was, and the routing learns:
  curl {base}/v1/feedback -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\
    -d '{{"completion_id": "<id of the answer>", "score": 1.0}}'

Watch it: {base}/metrics      What would be chosen, and why: POST {base}/v1/route
"""
    )
    return "\n".join(lines)
