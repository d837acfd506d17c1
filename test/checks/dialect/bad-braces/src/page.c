/* A page without braces. */
static int count(int n)
{
	if (n > 1)
		n--;
	else if (n > 2)
		n--;
	else
		n++;
	for (int i = 0; i < n; i++)
		n--;
	while (n > 3)
		n--;
	do
		n--;
	while (n > 4);
	json_array_foreach(list, i, value)
		n++;
	return n;
}
