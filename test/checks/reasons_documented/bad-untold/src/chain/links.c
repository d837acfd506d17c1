/* A link with two reasons, and what looks like one. */
void judge(struct verdict *verdict)
{
	SAY(verdict, VERDICT_FALSE, "NoPods", "there are none");
	SAY(verdict, VERDICT_FALSE, "APIServiceMissing", "nobody serves metrics");
	SAY(verdict, VERDICT_TRUE, "TargetFound", "there it is");
}
