-- The health of an InferenceAutoscaler for Argo CD: as kstatus reads it, once its status speaks of the current spec.
local status = obj.status or {}
local health = {status = "Progressing", message = "the operator has not looked at this spec yet"}
if (status.observedGeneration or -1) ~= obj.metadata.generation then
  return health
end
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Stalled" and condition.status == "True" then
    return {status = "Degraded", message = condition.message}
  end
  if condition.type == "Ready" then
    health.message = condition.message
    if condition.status == "True" then
      health.status = condition.reason == "Paused" and "Suspended" or "Healthy"
    end
  end
end
return health
