-- The health of an InferenceAutoscaler for Argo CD: its condition Ready, once that speaks of the current spec.
local health = {status = "Progressing", message = "the operator has not looked at this spec yet"}
for _, condition in ipairs((obj.status or {}).conditions or {}) do
  if condition.type == "Ready" and (condition.observedGeneration or 0) >= obj.metadata.generation then
    health.message = condition.message
    if condition.status == "False" then
      health.status = "Degraded"
    elseif condition.status == "True" then
      health.status = condition.reason == "Paused" and "Suspended" or "Healthy"
    end
  end
end
return health
