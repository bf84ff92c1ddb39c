"""What runs beside the code: workflows, images, providers, hooks."""

from . import SHA1, SHA256, made


@made("github-workflow", ".github/workflows/ci.yml")
def github_workflow(graph):
    steps = (f"      - uses: example/{name}@{SHA1} # v{graph.versions[name]}" for name in graph.names)
    return "\n".join(["name: ci", "on: push", "permissions: {}", "jobs:", "  build:", "    runs-on: ubuntu-latest", "    steps:", *steps, ""])


@made("github-action", "action.yml")
def github_action(graph):
    steps = (f"    - uses: example/{name}@v{graph.versions[name]}" for name in graph.names)
    return "\n".join(["name: bench", "description: A composite action", "runs:", "  using: composite", "  steps:", *steps, ""])


@made("github-workflow-images", ".github/workflows/ci.yml")
def github_workflow_images(graph):
    steps = (f"      - uses: docker://images.invalid/{name}:{graph.versions[name]}" for name in graph.names)
    return "\n".join(["on: push", "jobs:", "  build:", "    runs-on: ubuntu-latest", "    steps:", *steps, ""])


@made("dockerfile", "Dockerfile")
def dockerfile(graph):
    return "".join(f"FROM images.invalid/{name}:{graph.versions[name]} AS stage-{index}\nRUN make\n" for index, name in enumerate(graph.names))


@made("compose", "compose.yaml")
def compose(graph):
    return "services:\n" + "".join(f"  {name}:\n    image: images.invalid/{name}:{graph.versions[name]}\n    environment:\n      - A=b\n" for name in graph.names)


@made("gitlab-ci", ".gitlab-ci.yml")
def gitlab_ci(graph):
    return "".join(f"{name}:\n  image: images.invalid/{name}:{graph.versions[name]}\n  script:\n    - make\n" for name in graph.names)


@made("terraform-lock", ".terraform.lock.hcl")
def terraform_lock(graph):
    entry = 'provider "registry.invalid/example/{}" {{\n  version     = "{}"\n  constraints = "~> 1.0"\n  hashes = [\n    "h1:{}",\n    "zh:{}",\n  ]\n}}\n\n'
    return "".join(entry.format(name, graph.versions[name], "A" * 43 + "=", SHA256) for name in graph.names)


@made("pre-commit-config", ".pre-commit-config.yaml")
def pre_commit_config(graph):
    return "repos:\n" + "".join(f"  - repo: https://git.invalid/example/{name}\n    rev: v{graph.versions[name]}\n    hooks:\n      - id: check\n" for name in graph.names)
