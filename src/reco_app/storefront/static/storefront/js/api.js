// The only door to the server: the public API of the same origin.

const DEADLINE_MS = 8000;

/** What went wrong, in the words of the API's problem document. */
export class ApiProblem extends Error {
  constructor(problem, status) {
    super(problem.detail || problem.title || "The shop did not answer.");
    this.status = status;
    this.problem = problem;
  }
}

export function get(path) {
  return ask(path, { headers: { Accept: "application/json" } });
}

export function post(path, body, headers = {}) {
  return ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

/** Several requests in one round trip: a Map of id → answer, or → ApiProblem for the ones that failed. */
export async function batch(requests) {
  const { responses } = await post("/v1/batch", { requests });
  return new Map(
    responses.map(({ id, status, body }) => [
      id,
      status < 400 ? body : new ApiProblem(body ?? {}, status),
    ]),
  );
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(DEADLINE_MS) });
  } catch {
    throw new ApiProblem({ detail: "The shop could not be reached." }, 0);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiProblem(answer, response.status);
  return answer;
}
